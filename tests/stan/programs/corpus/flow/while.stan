functions {
  int halvings(int n) {
    int m = n;
    int count = 0;
    while (m > 1) { m = m %/% 2; count += 1; if (count > 5) break; }
    return count;
  }
}
data { int N; array[N] int g; }
transformed data {
  int top = 1;
  while (1) { top *= 2; if (top > N) break; }
}
parameters { vector[N] x; }
model {
  int c = top;
  real w = x[1];
  while (c > 2) { w *= 1.1 + x[2]; c -= 1; if (c % 2 == 0) continue; w += x[3]; }
  target += w;
  for (n in 1:N) target += x[n] * halvings(g[n]);
  for (n in 1:N) { int k = g[n]; real z = 1; while (k > 0) { z *= x[n]; k -= 2; } target += z; }
}
