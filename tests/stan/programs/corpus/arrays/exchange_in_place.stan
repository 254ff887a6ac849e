data { int N; }
parameters { vector[N] a; }
model {
  vector[N] x = a;
  matrix[2, 2] M = [[a[1], a[2]], [a[3], a[4]]];
  x = x[{5, 1, 2, 3, 4}];
  x[1:3] = x[3:5];
  for (n in 1:2) { real swap = x[n]; x[n] = x[N - n]; x[N - n] = swap; }
  for (n in 1:(N - 1)) x[n] = x[n + 1];
  M = M';
  M[1] = M[2];
  target += dot_product(x, [1, 2, 3, 4, 5]') + M[1, 1] * 2 + M[2, 2] * a[5];
}
