data { int N; }
parameters { vector[N] a; }
model {
  vector[N] x;
  array[N, N] real z;
  real s;
  for (n in 2:N) x[n] = a[n] + n;
  for (n in 1:N) for (m in n:N) z[n, m] = a[n] * a[m];
  if (a[1] > 0) s = log(a[1]); else s = a[1];
  target += s + sum(x[2:]) + sum(z[1]) + z[2, N];
}
