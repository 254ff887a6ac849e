data { int T; int S; }
parameters { matrix[T, S] e; real phi; }
model {
  matrix[T, S] x = e;
  for (t in 2:T) for (s in 2:S) x[t, s] += phi * x[t - 1, s] * x[t, s - 1] - x[t - 1, s - 1];
  target += -sum(square(x)) + x[T, S];
}
