data { int N; vector[N] y; array[N] real r; array[N] int k; real L; vector[N] low; array[2, N] int K; }
parameters { real mu; real<lower=0> s; vector[N] m; row_vector<lower=0>[N] lambda; real<lower=1, upper=2> z; }
model {
  y ~ normal(mu, s) T[L, ];
  y[2:] ~ normal(m[2:], s) T[-3, mu + 9];
  r ~ student_t(4, m, lambda) T[ , s + 6];
  m ~ normal(0, 3) T[-30, 30];
  k ~ poisson(s) T[0, ];
  k ~ poisson(lambda) T[ , 7];
  k ~ neg_binomial_2(mu ^ 2 + 1, lambda) T[0, 5];
  lambda ~ exponential(s) T[0.01, 50];
  mu ~ normal(m, lambda) T[-9, 9];
  (y - L)' ~ gamma(s + 1, 2) T[0.001, 90];
  for (i in 1:2) K[i] ~ binomial(7, inv_logit(m)) T[0, 6];
  for (n in 1:N) y[n] ~ cauchy(m[n], s) T[low[n], low[n] + 6];
  for (n in 2:N) y[1:n] ~ logistic(mu, s) T[ , 5 + n];
  z ~ lognormal(0, s) T[1, 2];
}
