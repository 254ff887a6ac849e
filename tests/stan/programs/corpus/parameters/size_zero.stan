parameters {
  vector[0] none;
  array[0] real<lower=0> a;
  array[2] vector[0] av;
  matrix[0, 3] M;
  simplex[1] p;
  cholesky_factor_corr[1] L;
  cov_matrix[1] V;
  real x;
}
model { target += x * p[1] + L[1, 1] + V[1, 1] + sum(none) + sum(a) + sum(av[2]) + sum(M); }
