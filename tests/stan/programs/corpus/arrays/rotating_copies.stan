data { int N; }
parameters { vector[N] a; matrix[N, 2] B; }
model {
  vector[N] x = a;
  vector[N] kept = x;
  matrix[N, 2] before;
  x[1] = 3;
  before = B;
  for (n in 1:N) { vector[N] mine = x; mine[n] = a[n] ^ 2; x[n] = mine[n] * kept[n]; before[n, 1] = sum(mine); }
  target += dot_product(x, kept) + sum(before .* B);
}
