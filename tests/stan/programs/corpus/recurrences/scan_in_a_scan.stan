data { int T; int S; }
parameters { matrix[T, S] e; real phi; }
model {
  real level = 0;
  matrix[T, S] x;
  for (t in 1:T) {
    real inner = level;
    for (s in 1:S) { inner = tanh(phi * inner + e[t, s]); x[t, s] = inner; }
    level = 0.5 * level + inner;
  }
  target += level - sum(square(x));
}
