data { int K; int N; vector[N] y; }
parameters { real phi; vector[N] e; }
model {
  vector[N] x = e;
  for (k in 1:K) { x[(2 * k):(2 * k + 3)] += phi * x[(2 * k - 1):(2 * k + 2)]; x[2 * k + 1] *= e[k]; }
  target += -dot_self(x - y);
}
