data { int K; int N; array[K] int n; vector[N] y; }
parameters { array[2] simplex[2] theta; ordered[2] mu; }
model {
  int pos = 1;
  array[2] real acc;
  array[max(n), 2] real gamma;
  for (k in 1:K) {
    for (j in 1:2) gamma[1, j] = normal_lpdf(y[pos] | mu[j], 1);
    for (t in 2:n[k]) {
      for (i in 1:2) {
        for (j in 1:2) acc[j] = gamma[t - 1, j] + log(theta[j, i]) + normal_lpdf(y[pos + t - 1] | mu[i], 1);
        gamma[t, i] = log_sum_exp(acc);
      }
    }
    target += log_sum_exp(gamma[n[k]]);
    pos += n[k];
  }
  target += gamma[1, 2];
}
