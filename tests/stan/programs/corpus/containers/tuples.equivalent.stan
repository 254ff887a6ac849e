data { int N; }
parameters { real a; vector[N] b; }
model {
  vector[N] z = b * a;
  vector[N] c = b;
  c[2] = a ^ 2;
  target += a + 1 + sum(z) + (a + 1) * sum(z);
  for (n in 1:N) target += b[n] * 2 * b[n] * n;
  target += a * sum(c) * 3;
}
