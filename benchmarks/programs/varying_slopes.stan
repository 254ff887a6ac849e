// Correlated coefficients of groups, with the Cholesky factor of their correlations.
data {
  int<lower=1> N, J, K;
  array[N] int<lower=1, upper=J> group;
  matrix[N, K] X;
  vector[N] y;
}
parameters {
  cholesky_factor_corr[K] L;
  vector<lower=0>[K] tau;
  vector[K] gamma;
  array[J] vector[K] beta;
  real<lower=0> sigma;
}
model {
  L ~ lkj_corr_cholesky(2);
  tau ~ exponential(1);
  gamma ~ normal(0, 5);
  sigma ~ exponential(1);
  beta ~ multi_normal_cholesky(gamma, diag_pre_multiply(tau, L));
  {
    vector[N] mu;
    for (n in 1:N) {
      mu[n] = X[n] * beta[group[n]];
    }
    y ~ normal(mu, sigma);
  }
}
