data { int N; vector[N] y; array[3] int n; }
parameters { real a; vector[N] none; array[N] vector[2] nothing; }
model {
  real s = a;
  matrix[N, 2] X = rep_matrix(a, N, 2);
  for (i in 1:N) s += y[i] * none[i];
  for (i in 2:1) s = s * 2;
  for (i in 1:3) for (j in 1:n[i]) s += a ^ j;
  for (i in 1:N) nothing[i] ~ normal(0, 1);
  none ~ normal(y, 1);
  X * rep_vector(a, 2) ~ normal(0, 1);
  target += s + sum(none) + prod(y) + num_elements(X);
}
