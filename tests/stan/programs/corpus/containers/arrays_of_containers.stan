data { int N; array[2] matrix[2, 2] S; }
parameters { array[N] vector[2] v; array[2, 2] real r; array[2] row_vector[3] rv; matrix[2, 3] M; }
model {
  array[2] matrix[2, 3] B;
  v ~ multi_normal(v[1], S[1]);
  for (n in 1:N) v[n] ~ multi_normal(rep_vector(r[1, 2], 2), S[2]);
  for (i in 1:2) rv[i] ~ normal(M[i], 1);
  for (i in 1:2) for (j in 1:3) B[i, 1, j] = M[i, j];
  for (i in 1:2) B[i][2] = rv[i];
  for (i in 1:2) target += sum(B[i] * M') * r[i, 1];
  target += M[1] * rv[2]' + sum(M .* M) + sum(M[, 2]) + dot_product(M[2], rv[1]) + sum((M * M')[1]);
  to_vector(M) ~ normal([1, 2, 3, 4, 5, 6]', 1);
}
