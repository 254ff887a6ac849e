data { int N; int M; array[N] int st; array[N] int len; vector[M] y; }
parameters { real a; vector[M] z; }
model {
  for (n in 1:N) {
    segment(y, st[n], len[n]) ~ normal(a * segment(z, st[n], len[n]), 1);
    target += dot_product(segment(z, st[n], len[n]), segment(y, st[n], len[n]));
    target += log_sum_exp(segment(z, st[n], len[n])) + max(y[st[n]:(st[n] + len[n] - 1)]);
  }
}
