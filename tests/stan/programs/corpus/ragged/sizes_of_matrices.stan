data { int K; array[K] int d; matrix[3, 3] S; }
parameters { vector[3] x; real a; }
model {
  for (k in 1:K) {
    matrix[d[k], d[k]] C = S[1:d[k], 1:d[k]] + diag_matrix(rep_vector(exp(a), d[k]));
    x[1:d[k]] ~ multi_normal(rep_vector(a, d[k]), C);
  }
}
