data { int N; matrix[2, N] y; array[N] int g; }
parameters { vector[2] phi; matrix[2, N] e; }
model {
  matrix[2, N] x;
  x[, N] = e[, N];
  for (s in 1:(N - 1)) {
    int t = N - s;
    real a = g[t] > 1 ? phi[2] : 0.5;
    x[, t] = phi .* x[, t + 1] * a + e[, N - s] .* y[, t];
  }
  target += -dot_self(to_vector(x - y));
}
