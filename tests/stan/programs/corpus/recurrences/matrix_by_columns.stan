data { int T; int J; matrix[T, J] y; }
parameters { matrix[J, T] e; matrix[J, J] A; }
model {
  matrix[J, T] x = e;
  for (t in 2:T) x[, t] = A * x[, t - 1] + e[, t];
  for (t in 1:T) y[t] ~ normal(x[, t]', 1);
}
