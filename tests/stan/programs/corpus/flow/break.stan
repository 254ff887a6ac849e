data { int N; vector[N] y; }
parameters { vector[N] x; }
model {
  real s = 0;
  for (n in 1:N) { if (n > 3) break; target += x[n]; }
  for (n in 1:N) { s += x[n] ^ 2; if (y[n] > 1) break; s *= 2; }
  for (n in 1:N) for (m in 1:N) { if (m > n) break; target += x[n] * x[m]; }
  for (n in 1:N) { if (s > 0.5 && n > 2) break; s += exp(x[n]); }
  target += s;
}
