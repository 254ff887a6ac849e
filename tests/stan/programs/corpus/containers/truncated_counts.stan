data { int N; array[N] int k; array[2, N] int K; }
parameters { real<lower=0> s; vector[N] m; row_vector<lower=0>[N] lambda; }
model {
  k ~ poisson(s) T[0, ];
  k ~ poisson(lambda) T[ , 7];
  for (i in 1:2) K[i] ~ binomial(7, inv_logit(m)) T[0, 6];
}
