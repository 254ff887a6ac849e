data { int K; int N; array[K] int n; vector[N] y; }
parameters { array[2] simplex[2] theta; ordered[2] mu; }
model {
  int pos = 1;
  for (k in 1:K) {
    array[2] real acc;
    array[n[k], 2] real gamma;
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
}
