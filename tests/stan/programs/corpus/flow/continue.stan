data { int N; array[N] int g; }
parameters { vector[N] x; real a; }
model {
  real s = 0;
  int c = 0;
  for (n in 1:N) {
    if (g[n] == 2) continue;
    c += 1;
    if (x[n] > 0) s += sqrt(x[n]) * c;
    else if (x[n] > -0.5) s -= x[n];
    target += g[n] == 1 ? log1p_exp(a) : a * c;
  }
  for (n in 1:N) { if (x[n] < 0) continue; target += log(x[n]); if (g[n] == 3) continue; s += x[n]; }
  target += s * c;
}
