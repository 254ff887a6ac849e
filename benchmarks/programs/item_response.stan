data {
  int<lower=1> I, J, N;
  array[N] int<lower=1, upper=I> item;
  array[N] int<lower=1, upper=J> person;
  array[N] int<lower=0, upper=1> y;
}
parameters {
  vector<lower=0>[I] a;
  vector[I] b;
  vector[J] theta;
  real mu_b;
  real<lower=0> sigma_a, sigma_b;
}
model {
  theta ~ std_normal();
  a ~ lognormal(0, sigma_a);
  b ~ normal(mu_b, sigma_b);
  mu_b ~ normal(0, 5);
  sigma_a ~ cauchy(0, 2);
  sigma_b ~ cauchy(0, 2);
  y ~ bernoulli_logit(a[item] .* (theta[person] - b[item]));
}
