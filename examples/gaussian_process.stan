// A smooth function observed with noise: Gaussian process with an exponentiated quadratic kernel.
data {
  int<lower=1> N;
  array[N] real x;
  vector[N] y;
}
parameters {
  real<lower=0> length_scale;
  real<lower=0> amplitude;
  real<lower=0> sigma;
  vector[N] z;
}
transformed parameters {
  vector[N] f;
  {
    matrix[N, N] K = gp_exp_quad_cov(x, amplitude, length_scale);
    f = cholesky_decompose(add_diag(K, 1e-6)) * z;
  }
}
model {
  length_scale ~ inv_gamma(5, 5);
  amplitude ~ normal(0, 2);
  sigma ~ normal(0, 1);
  z ~ normal(0, 1);
  y ~ normal(f, sigma);
}
