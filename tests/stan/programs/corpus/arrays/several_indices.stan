data { int N; array[3] int at; array[2, 3] int table; matrix[N, N] D; }
parameters { vector[N] a; matrix[N, N] M; array[2] matrix[2, 3] B; }
model {
  target += sum(a[at]) + sum(M[at, 2]) + sum(M[at, at] .* D[1:3, 2:4]);
  target += sum(a[table[2]] .* a[{1, 2, 1}]) + sum(M[at][2]) * sum(M[:, at][2]);
  target += B[1, 2, 3] * B[2][1][2] + sum(B[, 1, 2]) + sum(B[2, :, {1, 3}] * [1, 2]');
  target += sum(a[3:2]) + sum(B[1:1, 2, 2:]  [1]) + dot_product(a[at[table[1, 1:2]]], [1, 2]');
  for (n in 1:3) target += a[at[n]] * M[at[n], table[1, n]] + sum(a[at[1:n]]);
}
