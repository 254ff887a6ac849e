data { int T; int J; array[J] int len; matrix[T, J] y; }
parameters { matrix[T, J] e; real phi; }
model {
  matrix[T, J] x = rep_matrix(0.1, T, J);
  for (j in 1:J) for (t in 2:len[j]) x[t, j] = phi * x[t - 1, j] + e[t, j];
  to_vector(y) ~ normal(to_vector(x), 1);
}
