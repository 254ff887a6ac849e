data { int T; int J; matrix[T, J] y; }
parameters { matrix[T, J] e; row_vector<lower=0>[J] s; real phi; }
transformed parameters {
  matrix[T, J] x;
  x[1] = e[1];
  for (t in 2:T) x[t] = phi * x[t - 1] + s .* e[t];
}
model { to_vector(y) ~ normal(to_vector(x), 1); }
