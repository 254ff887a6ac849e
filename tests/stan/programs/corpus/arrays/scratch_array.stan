data { int N; int K; array[N] real y; }
parameters { vector[K] mu; vector[K] weight; }
model {
  array[K] real ps;
  real total = 0;
  for (n in 1:N) {
    for (k in 1:K) ps[k] = weight[k] + normal_lpdf(y[n] | mu[k], 1);
    target += log_sum_exp(ps);
    total += ps[1];
  }
  target += total * 0.1 + ps[2];
}
