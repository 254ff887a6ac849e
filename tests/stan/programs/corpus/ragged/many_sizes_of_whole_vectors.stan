data { int N; array[N] int at; matrix[N, N] M; }
parameters { vector[N] e; }
model {
  vector[N] x = e;
  for (n in 2:N) target += sd(e[1:n]) + cumulative_sum(e[1:n])[n];
  for (n in 2:N) target += sum(M[1:n, 1:n] * e[at[1:n]]);
  for (n in 2:N) { vector[n] v = e[1:n] * 2; v[1] = 3; x[1:n] = v; target += sum(x) / n; }
}
