data { int T; vector[T] y; }
parameters { vector[T] e; real phi; }
model {
  vector[T] x;
  x[T] = e[T];
  for (s in 1:(T - 1)) x[T - s] = phi * x[T - s + 1] + e[T - s];
  x ~ normal(y, 1);
}
