data { int N; array[3] int at; }
parameters { vector[N] a; matrix[3, 4] M; }
model {
  vector[N] x = rep_vector(1, N);
  matrix[3, 4] K = M;
  array[2, 3] real r = {{1, 2, 3}, {4, 5, 6}};
  x[2:4] = a[1:3];
  x[at] = a[3:5];
  x[4:] += 1;
  x[:1] = a[2:2];
  K[1] = a[1:4]';
  K[, 2] = a[3:5];
  K[2:3, {4, 1}] = M[1:2, 1:2];
  K[{3, 1}, 3] = a[1:2];
  K[2, 2:3] *= 2;
  r[1, 2:3] = {a[1], a[2]};
  r[, 1] = {a[1], 7};
  target += dot_self(x) + sum(K .* K) + r[1, 1] * r[1, 3] + r[2, 1] * sum(r[2]);
}
