data { int K; int N; vector[N] y; }
parameters { real phi; vector[N] e; }
model {
  vector[N] x = e;
  for (k in 2:K) x[((k - 1) * 3 + 1):(k * 3)] = sin(phi * x[((k - 2) * 3 + 1):((k - 1) * 3)]) + e[k];
  target += -dot_self(x - y);
}
