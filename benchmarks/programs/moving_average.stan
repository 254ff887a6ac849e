// ARMA(1, 1): each error needs the one before.
data {
  int<lower=1> T;
  vector[T] y;
}
parameters {
  real mu;
  real<lower=-1, upper=1> phi, theta;
  real<lower=0> sigma;
}
model {
  vector[T] err;
  mu ~ normal(0, 5);
  sigma ~ cauchy(0, 2.5);
  err[1] = y[1] - mu - phi * mu;
  for (t in 2:T) {
    err[t] = y[t] - (mu + phi * y[t - 1] + theta * err[t - 1]);
  }
  err ~ normal(0, sigma);
}
