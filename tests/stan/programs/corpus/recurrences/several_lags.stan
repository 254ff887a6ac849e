data { int T; int K; vector[T] y; }
parameters { real a; vector[K] b; vector[T] e; }
model {
  vector[T] x = e;
  for (t in (K + 1):T) {
    real m = a;
    for (k in 1:K) m += b[k] * x[t - k] * y[t - k];
    x[t] = tanh(m) + e[t];
  }
  target += -dot_self(x - y) + x[T] * x[K];
}
