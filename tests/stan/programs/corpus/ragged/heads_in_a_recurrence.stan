data { int T; vector[T] y; }
parameters { vector[T] e; real a; }
model {
  vector[T] x;
  x[1] = e[1];
  for (t in 2:T) x[t] = a * sum(x[1:(t - 1)]) / t + e[t] * dot_product(y[1:t], e[1:t]);
  target += -dot_self(x);
}
