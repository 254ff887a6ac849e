data { int N; int K; array[N] real y; }
parameters { vector[K] mu; }
model {
  vector[K] acc;
  real last = 0;
  matrix[N, K] m;
  for (n in 1:N) {
    for (k in 1:K) {
      for (j in 1:K) acc[j] = mu[j] * y[n] + mu[k];
      m[n, k] = log_sum_exp(acc);
      last = m[n, k] * acc[1];
    }
  }
  target += sum(m) + last + acc[K];
}
