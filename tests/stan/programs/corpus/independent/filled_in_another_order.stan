data { int N; array[N] int at; }
parameters { vector[N] a; }
model {
  vector[N] x;
  vector[2 * N] z = rep_vector(1, 2 * N);
  for (n in 1:N) x[at[n]] = a[n] ^ 2;
  for (n in 1:N) z[2 * n] = x[n] * n;
  for (n in 1:N) target += x[N + 1 - n] * z[2 * n] - z[2 * n - 1] * a[n];
}
