data { int T; int J; matrix[T, J] y; }
parameters { matrix[T, J] e; vector<lower=0>[J] s; real phi; }
model {
  matrix[T, J] x;
  for (j in 1:J) {
    x[1, j] = e[1, j];
    for (t in 2:T) x[t, j] = phi * x[t - 1, j] + s[j] * e[t, j];
  }
  for (t in 1:T) for (j in 1:J) y[t, j] ~ normal(x[t, j], 1);
}
