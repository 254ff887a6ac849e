data { int N; vector[N] y; real L; }
parameters { real mu; real<lower=0> s; vector[N] m; row_vector<lower=0>[N] lambda; real<lower=1, upper=2> z; }
model {
  y ~ normal(mu, s) T[L, ];
  y[2:] ~ normal(m[2:], s) T[-3, mu + 9];
  m ~ normal(0, 3) T[-30, 30];
  mu ~ normal(m, lambda) T[-9, 9];
  z ~ lognormal(0, s) T[1, 2];
}
