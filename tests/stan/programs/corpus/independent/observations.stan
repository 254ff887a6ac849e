data { int N; int J; vector[N] y; array[N] int g; }
parameters { vector[J] mu; real<lower=0> sigma; }
model {
  mu ~ normal(0, 2);
  sigma ~ exponential(1);
  for (n in 1:N) y[n] ~ normal(mu[g[n]], sigma);
}
