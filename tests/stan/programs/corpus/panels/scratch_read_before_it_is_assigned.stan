data { int K; int N; vector[N] y; }
parameters { real phi; vector[K] e; }
model {
  vector[N] x = y;
  for (k in 1:K) {
    x[1] = e[k];
    for (t in 2:N) { target += x[t] * e[k]; x[t] = sin(phi * x[t - 1] + y[t]); }
  }
}
