data { int T; int J; matrix[T, J] y; }
parameters { matrix[T, J] e; real phi; }
model {
  matrix[T, J] x;
  vector[T] scratch;
  for (j in 1:J) {
    scratch[1] = e[1, j];
    for (t in 2:T) scratch[t] = phi * scratch[t - 1] + e[t, j];
    x[, j] = scratch;
  }
  to_vector(y) ~ normal(to_vector(x), 1);
  target += scratch[T] * scratch[1];
}
