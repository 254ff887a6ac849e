// Linear regression with an intercept for each group; groups share a distribution.
data {
  int<lower=1> N;
  int<lower=1> J;
  array[N] int<lower=1, upper=J> group;
  vector[N] x;
  vector[N] y;
}
parameters {
  real mu;
  real<lower=0> tau;
  vector<offset=mu, multiplier=tau>[J] intercept;
  real slope;
  real<lower=0> sigma;
}
model {
  mu ~ normal(0, 5);
  tau ~ normal(0, 2);
  intercept ~ normal(mu, tau);
  slope ~ normal(0, 2);
  sigma ~ exponential(1);
  for (n in 1:N) {
    y[n] ~ normal(intercept[group[n]] + slope * x[n], sigma);
  }
}
generated quantities {
  vector[N] log_lik;
  for (n in 1:N) {
    log_lik[n] = normal_lpdf(y[n] | intercept[group[n]] + slope * x[n], sigma);
  }
}
