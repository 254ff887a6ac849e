data { int N; array[N] int k; matrix[2, 3] m; array[2] vector[2] v; }
parameters { vector[N] x; matrix[2, 2] p; array[2, 2] real r; }
model {
  for (e in x) target += -e ^ 2;
  for (e in k) target += x[e] * e;
  for (e in m) target += e * x[1];
  for (e in p) { real z = e; target += z ^ 3; }
  for (e in v) target += dot_product(e, x[1:2]);
  for (row in r) for (e in row) target += e * row[1];
}
