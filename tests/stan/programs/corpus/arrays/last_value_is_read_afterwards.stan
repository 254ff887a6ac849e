data { int N; vector[N] y; array[N] int at; }
parameters { vector[N] a; }
model {
  real s;
  vector[2] v;
  vector[N] x = a;
  for (n in 1:N) { s = a[n] * y[n]; v[1] = s; v[2] = s ^ 2; target += sum(v); x[at[n]] = v[2] * n; }
  target += s * v[1] + v[2] + dot_self(x);
}
