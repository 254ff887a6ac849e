functions { tuple(real, vector) f(real a, vector b) { return (a + 1, b * a); } }
data { int N; }
parameters { real a; vector[N] b; }
transformed parameters {
  tuple(real, vector[N]) t = f(a, b);
  array[N] tuple(real, vector[2]) q;
  for (n in 1:N) { q[n].1 = b[n] * 2; q[n].2 = [a, b[n]]'; }
}
model {
  real x;
  vector[N] z;
  tuple(real, tuple(vector[N], int)) deep = (a, (b, 3));
  target += t.1 + sum(t.2);
  for (n in 1:N) target += q[n].1 * q[n].2[2] * n;
  (x, z) = t;
  target += x * sum(z);
  deep.2.1[2] = a ^ 2;
  target += deep.1 * sum(deep.2.1) * deep.2.2;
}
