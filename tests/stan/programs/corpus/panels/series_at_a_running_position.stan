data { int K; int N; array[K] int n; vector[N] y; }
parameters { real phi; vector[N] e; }
model {
  vector[N] x;
  int pos = 1;
  for (k in 1:K) {
    x[pos] = e[pos];
    for (t in (pos + 1):(pos + n[k] - 1)) x[t] = sin(phi * x[t - 1]) + e[t] * y[t - 1];
    pos += n[k];
  }
  target += -dot_self(x - y) + x[3];
}
