data { int N; int K; array[K] int s; vector[N] y; }
parameters { vector[K] mu; real<lower=0> sigma; }
model {
  int pos = 1;
  for (k in 1:K) {
    segment(y, pos, s[k]) ~ normal(mu[k], sigma);
    pos = pos + s[k];
  }
}
