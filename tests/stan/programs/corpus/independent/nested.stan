data { int N; int J; matrix[N, J] y; }
parameters { vector[N] a; row_vector[J] b; }
model {
  matrix[N, J] eta;
  for (n in 1:N) for (j in 1:J) eta[n, j] = a[n] * b[j] + n;
  for (j in 1:J) for (n in 1:N) y[n, j] ~ normal(eta[n, j], 1 + j);
}
