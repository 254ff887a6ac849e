data { int N; array[N, 2] int at; }
parameters { vector[N] a; matrix[N, 3] M; }
model {
  matrix[N, 3] K;
  vector[2 * N] x = rep_vector(0, 2 * N);
  array[N] vector[2] v;
  for (n in 1:N) {
    K[n] = M[n] * a[n];
    K[n, 2:3] += 1;
    x[(2 * n - 1):(2 * n)] = a[at[n]];
    v[n] = x[(2 * n - 1):(2 * n)] * n;
    x[at[n]] += 0.5 * a[n];
  }
  for (j in 1:3) K[, j] = K[, j] .* a;
  target += sum(K .* K) + dot_self(x);
  for (n in 1:N) target += v[n, 1] * v[n][2];
}
