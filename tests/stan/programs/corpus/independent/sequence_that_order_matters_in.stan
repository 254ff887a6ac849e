data { int N; }
parameters { vector[N] a; }
model {
  real s = 0;
  int n_big = 0;
  for (n in 1:N) s = s + a[n] * n;
  for (e in a) { s = s * 0.5 + e; n_big += 1; s += e * n_big; }
  target += s ^ 2 * n_big;
}
