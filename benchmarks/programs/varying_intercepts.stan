// Written with a loop over the observations, as in many textbooks.
data {
  int<lower=0> N, J;
  array[N] int<lower=1, upper=J> group;
  vector[N] x, y;
}
parameters {
  real mu, beta;
  real<lower=0> tau, sigma;
  vector<offset=mu, multiplier=tau>[J] alpha;
}
model {
  mu ~ normal(0, 5);
  beta ~ normal(0, 2);
  tau ~ cauchy(0, 2.5);
  sigma ~ cauchy(0, 2.5);
  alpha ~ normal(mu, tau);
  for (n in 1:N) {
    real eta = alpha[group[n]] + beta * x[n];
    y[n] ~ normal(eta, sigma);
  }
}
