data { int N; array[N] real s; }
parameters { vector[N] eps; real k; }
transformed parameters {
  vector[N] p;
  p[1] = exp(k);
  for (i in 2:N) {
    real c = 0;
    for (j in 1:(i - 1)) c += p[j] * s[i - j];
    p[i] = c * exp(0.1 * eps[i]);
  }
}
model { target += sum(log(p)); eps ~ normal(0, 1); }
