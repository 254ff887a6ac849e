data { int N; }
parameters { vector[N] a; }
model {
  matrix[N, N] K;
  for (i in 1:N) {
    K[i, i] = 2;
    for (j in (i + 1):N) { K[i, j] = exp(-square(a[i] - a[j])); K[j, i] = K[i, j]; }
  }
  target += sum(K * a) + log_determinant(K);
}
