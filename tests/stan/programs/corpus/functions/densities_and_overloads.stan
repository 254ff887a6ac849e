functions {
  real my_lpdf(vector y, real m) { return -0.5 * dot_self(y - m); }
  real my_lpdf(real y, real m) { return -abs(y - m); }
  real count_lpmf(array[] int k, real rate) { return poisson_lpmf(k | exp(rate)); }
  void prior_lp(real x) { x ~ normal(0, 1); target += x; }
  real shifted_lp(real x) { target += -x ^ 2; return x + 1; }
  int f(int n) { return 2 * n; }
  real f(real x) { return x / 2; }
  void nothing_much(real x) { if (x > 0) return; }
}
data { int N; array[N] int k; vector[N] y; }
parameters { vector[N] x; real m; }
model {
  y ~ my(m);
  for (n in 1:N) y[n] ~ my(x[n]);
  target += my_lpdf(x | m) + my_lupdf(y[1] | x[1]);
  k ~ count(m);
  prior_lp(m);
  for (n in 1:N) prior_lp(x[n]);
  target += shifted_lp(m) * f(3) + f(m);
  nothing_much(m);
}
