functions {
  vector predator_prey(real t, vector z, real alpha, real beta, real gamma, real delta) {
    return [(alpha - beta * z[2]) * z[1], (-gamma + delta * z[1]) * z[2]]';
  }
}
data {
  int<lower=0> N;
  array[N] real t;
  array[N] vector<lower=0>[2] y;
}
parameters {
  real<lower=0> alpha, beta, gamma, delta;
  vector<lower=0>[2] z0;
  vector<lower=0>[2] sigma;
}
model {
  array[N] vector[2] z = ode_rk45_tol(predator_prey, z0, 0, t, 1e-10, 1e-10, 100000, alpha, beta, gamma, delta);
  alpha ~ normal(1, 0.5);
  gamma ~ normal(1, 0.5);
  beta ~ normal(0.05, 0.05);
  delta ~ normal(0.05, 0.05);
  sigma ~ lognormal(-1, 1);
  z0 ~ lognormal(log(10), 1);
  for (n in 1:N) {
    y[n] ~ lognormal(log(z[n]), sigma);
  }
}
