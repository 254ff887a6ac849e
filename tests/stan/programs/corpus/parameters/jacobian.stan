functions {
  real positive_jacobian(real x) { jacobian += x; return exp(x); }
}
parameters { real x; vector[2] y; }
transformed parameters {
  real a = exp(x);
  vector[2] b;
  jacobian += x;
  for (k in 1:2) { b[k] = positive_jacobian(y[k]); jacobian += -square(y[k]) * k; }
}
model { a ~ gamma(2, 1); b ~ gamma(2, 1); }
