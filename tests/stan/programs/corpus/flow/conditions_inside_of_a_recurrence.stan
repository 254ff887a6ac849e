data { int N; vector[N] y; array[N] int g; }
parameters { vector[N] x; real a; }
model {
  real s = a;
  vector[N] z;
  for (n in 1:N) {
    if (g[n] > 1) s = tanh(s) + x[n];
    if (s > 0.3) { s -= sqrt(s); z[n] = s; }
    else if (y[n] > 0) z[n] = log1m(s);
    else { z[n] = 1; continue; }
    s += g[n] > n ? x[n] : a * s;
    for (m in 1:g[n]) { if (m > n) continue; s += 0.1 * x[m] * z[n]; }
  }
  target += s + sum(z);
}
