data { int N; vector[N] y; }
parameters { real mu; }
model {
  real before = target();
  mu ~ normal(0, 2);
  for (n in 1:N) { y[n] ~ normal(mu, 1); target += 0.1 * target() * n; }
  target += before * 2 + square(target()) * 0.01;
}
