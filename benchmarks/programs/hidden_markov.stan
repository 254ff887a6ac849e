// The forward algorithm, with loops over times and states.
data {
  int<lower=1> T, S;
  vector[T] y;
}
parameters {
  array[S] simplex[S] theta;
  ordered[S] mu;
  real<lower=0> sigma;
}
model {
  array[T, S] real log_alpha;
  array[S] real acc;
  mu ~ normal(0, 5);
  sigma ~ exponential(1);
  for (k in 1:S) {
    theta[k] ~ dirichlet(rep_vector(2, S));
    log_alpha[1, k] = normal_lpdf(y[1] | mu[k], sigma) - log(S);
  }
  for (t in 2:T) {
    for (k in 1:S) {
      for (j in 1:S) {
        acc[j] = log_alpha[t - 1, j] + log(theta[j, k]) + normal_lpdf(y[t] | mu[k], sigma);
      }
      log_alpha[t, k] = log_sum_exp(acc);
    }
  }
  target += log_sum_exp(log_alpha[T]);
}
