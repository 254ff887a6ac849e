data { int T; array[T] real r; }
parameters { real mu; real<lower=0> a0; real<lower=0, upper=1> a1; real<lower=0, upper=(1 - a1)> b1; }
transformed parameters {
  array[T] real<lower=0> sigma;
  sigma[1] = 0.5;
  for (t in 2:T) sigma[t] = sqrt(a0 + a1 * square(r[t - 1] - mu) + b1 * square(sigma[t - 1]));
}
model { r ~ normal(mu, sigma); }
