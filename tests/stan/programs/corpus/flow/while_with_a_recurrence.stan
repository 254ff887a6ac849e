data { int N; vector[N] y; array[N] int step; }
parameters { real phi; vector[N] e; }
model {
  vector[N] x = e;
  int t = 2;
  int s = 1;
  while (t <= N) { x[t] = phi * x[t - 1] + e[t]; t += 1; }
  t = 1;
  while (1) { t += step[t]; if (t > N) break; x[t] = sin(x[t]) * y[t] + x[1]; }
  while (s < N) { target += e[s] * phi; s += 1; }
  target += -dot_self(x) + t * s * phi;
}
