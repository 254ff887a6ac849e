data { int N; int J; vector[N] y; array[N] int g; }
parameters { vector[N] a; }
model {
  vector[J] total = rep_vector(0.5, J);
  real all_of_them = 0;
  for (n in 1:N) { total[g[n]] += a[n] * y[n]; all_of_them += a[n] ^ 2; }
  for (n in 1:N) total[g[n]] -= square(a[n]);
  target += dot_self(total) + all_of_them;
}
