data { int N; int M; array[N] int st; array[N] int len; vector[M] y; vector[M] x; }
parameters { real a; vector[N] b; vector[M] z; }
model {
  for (n in 1:N) {
    vector[len[n]] mu = a + b[n] * segment(x, st[n], len[n]);
    y[st[n]:(st[n] + len[n] - 1)] ~ normal(mu, 1);
    for (j in 1:len[n]) target += -square(z[st[n] + j - 1] - b[n]);
    target += log_sum_exp(segment(z, st[n], len[n])) + mean(mu) + mu[1];
  }
}
