data {
  int<lower=0> T, P;
  vector[T] y;
}
parameters {
  real alpha;
  vector[P] phi;
  real<lower=0> sigma;
}
model {
  alpha ~ normal(0, 5);
  phi ~ normal(0, 1);
  sigma ~ cauchy(0, 2.5);
  for (t in (P + 1):T) {
    real mu = alpha;
    for (p in 1:P) {
      mu += phi[p] * y[t - p];
    }
    y[t] ~ normal(mu, sigma);
  }
}
