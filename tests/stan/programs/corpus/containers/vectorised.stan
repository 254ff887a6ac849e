data { int N; vector[N] y; array[N] int k; matrix[N, 2] X; }
parameters { vector[2] beta; real a; real<lower=0> s; vector[N] eta; }
model {
  y ~ normal(X * beta + a, s);
  [beta[1], a] ~ normal({0.5, s}, 2);
  k ~ poisson_log(eta);
  k ~ poisson_log_glm(X, a, beta);
  eta ~ student_t(3, [a, a, 0, 1]', s);
  target += normal_lpdf(y | eta, 2) + sum(log1p_exp(eta)) + (a > 0 ? a : -a) + k[1] %/% 2 + k[3] / 2 * a;
}
