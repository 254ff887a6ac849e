data {
  int<lower=0> N, J, T;
  array[N] int<lower=1, upper=J> site;
  array[N] int<lower=1, upper=T> year;
  array[N] int<lower=0> count;
  vector[N] x;
}
parameters {
  real mu, beta;
  vector[J] z_site;
  vector[T] z_year;
  vector[N] z;
  real<lower=0> sd_site, sd_year, sd;
}
transformed parameters {
  vector[J] by_site = sd_site * z_site;
  vector[T] by_year = sd_year * z_year;
}
model {
  vector[N] log_lambda;
  mu ~ normal(0, 5);
  beta ~ normal(0, 1);
  z_site ~ std_normal();
  z_year ~ std_normal();
  z ~ std_normal();
  sd_site ~ exponential(1);
  sd_year ~ exponential(1);
  sd ~ exponential(1);
  for (n in 1:N) {
    log_lambda[n] = mu + by_site[site[n]] + by_year[year[n]] + beta * x[n] + sd * z[n];
  }
  count ~ poisson_log(log_lambda);
}
