data { int N; array[N] int k; }
parameters { real mu; row_vector<lower=0>[N] lambda; }
model { k ~ neg_binomial_2(mu ^ 2 + 1, lambda) T[0, 5]; }
