// Weibull times with censoring on the right, observed only beyond a delay of entry.
data {
  int<lower=0> N, K;
  matrix[N, K] X;
  vector<lower=0>[N] time, entry;
  array[N] int<lower=0, upper=1> event;
}
parameters {
  real<lower=0> shape;
  real alpha;
  vector[K] beta;
}
model {
  vector[N] scale = exp(alpha + X * beta);
  shape ~ gamma(2, 1);
  alpha ~ normal(0, 2);
  beta ~ normal(0, 1);
  for (n in 1:N) {
    if (event[n]) {
      time[n] ~ weibull(shape, scale[n]) T[entry[n], ];
    } else {
      target += weibull_lccdf(time[n] | shape, scale[n]) - weibull_lccdf(entry[n] | shape, scale[n]);
    }
  }
}
