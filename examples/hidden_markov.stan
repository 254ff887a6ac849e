// Hidden Markov model of two states with normal emissions; the states are summed out by the forward algorithm.
data {
  int<lower=1> T;
  vector[T] y;
}
parameters {
  array[2] simplex[2] transition;
  ordered[2] mu;
  real<lower=0> sigma;
}
model {
  vector[2] log_alpha;
  for (k in 1:2) {
    transition[k] ~ dirichlet(rep_vector(1, 2) + 5 * one_hot_vector(2, k));
  }
  mu ~ normal(0, 3);
  sigma ~ exponential(1);
  for (k in 1:2) {
    log_alpha[k] = -log2() + normal_lpdf(y[1] | mu[k], sigma);
  }
  for (t in 2:T) {
    vector[2] previous = log_alpha;
    for (k in 1:2) {
      vector[2] from;
      for (j in 1:2) {
        from[j] = previous[j] + log(transition[j, k]);
      }
      log_alpha[k] = log_sum_exp(from) + normal_lpdf(y[t] | mu[k], sigma);
    }
  }
  target += log_sum_exp(log_alpha);
}
