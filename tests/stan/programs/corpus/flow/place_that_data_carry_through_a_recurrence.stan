data { int K; int N; array[K] int n; vector[N] y; }
parameters { real phi; vector[N] e; }
model {
  vector[N] x = e;
  real s = 0;
  int pos = 1;
  for (k in 1:K) {
    x[pos] = e[pos] + s;
    s = 0.5 * s + x[pos] * y[pos + n[k] - 1] * k;
    pos += n[k];
  }
  target += -dot_self(x) + s * pos;
}
