// Counts that depend log-linearly on covariates.
data {
  int<lower=0> N;
  int<lower=1> K;
  matrix[N, K] x;
  array[N] int<lower=0> y;
}
parameters {
  real alpha;
  vector[K] beta;
}
model {
  alpha ~ normal(0, 2);
  beta ~ normal(0, 1);
  y ~ poisson_log_glm(x, alpha, beta);
}
generated quantities {
  array[N] int y_rep = poisson_log_rng(alpha + x * beta);
}
