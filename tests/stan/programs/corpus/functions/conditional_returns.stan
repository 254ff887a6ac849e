functions {
  real f(real x, int k) {
    if (k == 1) return x;
    if (k == 2) { real z = square(x); return z; }
    return exp(x);
  }
  real g(real x) { if (x > 0) return sqrt(x); return x * x; }
  vector h(vector x, int n) {
    vector[n] z = x[1:n];
    if (n > 2) { if (x[1] > 0) return 2 * z; else z[1] = 5; }
    return z / 3;
  }
}
data { int N; array[N] int k; }
parameters { vector[N] x; }
model {
  for (n in 1:N) target += f(x[n], k[n]);
  for (n in 1:N) target += g(x[n]);
  target += sum(h(x, 3)) + sum(h(x, 2)) + g(-2) + f(1, 3);
}
