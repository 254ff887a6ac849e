data { int N; array[N] int at; }
parameters { vector[N] a; }
model {
  vector[N] x = a;
  vector[3] z = rep_vector(0, 3);
  for (n in 1:N) x[at[n]] = a[n];
  for (n in 1:N) { z[at[n]] = z[at[n]] + a[n]; }
  for (n in 1:N) { z[at[n]] += a[n] * n; target += z[at[n]]; }
  x[at] = x[at] * 2;
  target += dot_self(x) + z[2] * z[1];
}
