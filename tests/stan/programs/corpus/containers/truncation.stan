data { int N; vector[N] y; vector[N] high; }
parameters { real mu; real<lower=0> s; }
model {
  for (n in 1:N) y[n] ~ normal(mu, s) T[0, ];
  for (n in 1:N) y[n] ~ normal(mu, s) T[ , 10];
  for (n in 1:N) y[n] ~ normal(mu, s) T[-1, high[n]];
  mu ~ cauchy(0, 1) T[-3, s + 5];
  s ~ exponential(2) T[ , 20];
}
