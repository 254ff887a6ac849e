data { int N; vector[N] y; array[N] real r; real L; vector[N] low; }
parameters { real mu; real<lower=0> s; vector[N] m; row_vector<lower=0>[N] lambda; }
model {
  r ~ student_t(4, m, lambda) T[ , s + 6];
  lambda ~ exponential(s) T[0.01, 50];
  (y - L)' ~ gamma(s + 1, 2) T[0.001, 90];
  for (n in 1:N) y[n] ~ cauchy(m[n], s) T[low[n], low[n] + 6];
  for (n in 2:N) y[1:n] ~ logistic(mu, s) T[ , 5 + n];
}
