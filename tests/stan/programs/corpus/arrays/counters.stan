data { int N; array[N] int g; vector[N] y; }
transformed data {
  array[3] int count = rep_array(0, 3);
  array[N] int rank;
  int first = 0;
  for (n in 1:N) { count[g[n]] += 1; rank[n] = count[g[n]]; if (first == 0 && y[n] > 0.5) first = n; }
}
parameters { matrix[3, N] a; vector[N] b; }
model {
  int pos = 1;
  array[3] int seen = rep_array(0, 3);
  for (n in 1:N) {
    target += a[g[n], rank[n]] * y[n];
    if (y[n] > 0) { target += b[pos] ^ 2; pos += 1; }
    seen[g[n]] += 1;
    target += a[g[n], seen[g[n]]] * b[n];
  }
  target += b[first] * pos;
}
