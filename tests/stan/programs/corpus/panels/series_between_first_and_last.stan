data { int K; int N; array[K] int first; array[K] int last; vector[N] y; }
parameters { real phi; matrix[N, 2] e; }
model {
  matrix[N, 2] x = e;
  for (k in 1:K) {
    for (t in (first[k] + 1):last[k]) x[t] = phi * x[t - 1, {2, 1}] + e[first[k]] * y[t];
  }
  target += -dot_self(to_vector(x));
}
