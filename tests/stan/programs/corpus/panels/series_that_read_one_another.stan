data { int K; int N; array[K] int first; array[K] int last; vector[N] y; }
parameters { real phi; vector[N] e; }
model {
  vector[N] x = e;
  for (k in 1:K) for (t in first[k]:last[k]) x[t] = phi * x[t - 1] + e[t] * x[1];
  target += -dot_self(x - y);
}
