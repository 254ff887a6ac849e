data {
  int<lower=1> N, J;
  vector[N] y;
  array[J] int<lower=1> size_of;
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[J] theta;
  vector<lower=0>[J] sigma;
}
model {
  int first = 1;
  mu ~ normal(0, 5);
  tau ~ exponential(1);
  theta ~ normal(mu, tau);
  sigma ~ gamma(2, 1);
  for (j in 1:J) {
    segment(y, first, size_of[j]) ~ normal(theta[j], sigma[j]);
    first += size_of[j];
  }
}
