data { int N; vector[N] y; }
parameters { vector[N] a; }
model {
  vector[N] x = a .* y;
  real s = a[1];
  for (n in 1:N) { if (y[n] > 0) { x[n] = exp(a[n]); s = a[n]; } target += x[n] * s; }
  for (n in 1:N) if (a[n] > 0) { x[n] = 0.5; s += a[n]; }
  target += dot_self(x) * s;
}
