data { int N; vector[N] y; }
parameters { real phi; vector[N] e; }
model {
  vector[N] x = e;
  real s = 0;
  for (t in 2:N) {
    x[t] = phi * x[t - 1] + e[t];
    if (y[t] > 2) break;
    if (y[t] < -0.5) continue;
    x[t] += y[t] * phi;
  }
  for (t in 1:N) { s += y[t]; if (s > 1.5) break; x[t] *= e[t] * s; }
  target += -dot_self(x) + s * phi;
}
