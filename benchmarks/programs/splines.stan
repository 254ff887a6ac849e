// A random walk over the coefficients of a basis of B-splines.
data {
  int<lower=1> N, B;
  matrix[N, B] basis;
  vector[N] y;
}
parameters {
  vector[B] z;
  real<lower=0> tau, sigma;
}
transformed parameters {
  vector[B] a;
  a[1] = z[1];
  for (b in 2:B) {
    a[b] = a[b - 1] + z[b] * tau;
  }
}
model {
  z ~ std_normal();
  tau ~ normal(0, 1);
  sigma ~ normal(0, 1);
  y ~ normal(basis * a, sigma);
}
