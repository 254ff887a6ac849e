data { int N; vector[N] y; }
parameters { real mu; vector[N] x; }
model {
  profile("prior") { mu ~ normal(0, 1); }
  {
    real mu2 = mu ^ 2;
    { real mu3 = mu2 * mu; target += mu3; }
    profile("likelihood") { for (n in 1:N) { profile("inside") { target += mu2 * y[n] * x[n]; } } }
  }
}
