data {
  int<lower=0> N, K;
  matrix[N, K] X;
  array[N] int<lower=0, upper=1> y;
}
parameters {
  real alpha;
  vector[K] beta;
}
model {
  alpha ~ normal(0, 5);
  beta ~ student_t(4, 0, 2.5);
  y ~ bernoulli_logit_glm(X, alpha, beta);
}
