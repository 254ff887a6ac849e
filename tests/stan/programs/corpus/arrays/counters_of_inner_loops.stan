data { int N; array[N] int len; }
parameters { vector[N] a; }
model {
  vector[N] x = a;
  vector[N] y = rep_vector(0.5, N);
  int k = 1;
  for (i in 1:N) {
    for (j in 1:i) { k += 1; x[i] = sin(a[1 + k % N]) * x[i] + a[j]; }
    x[i:N] = x[i:N] * a[1 + k % N];
  }
  for (i in 1:N) {
    k += 1;
    for (j in 1:len[i]) { k += 1; x[i] = sin(x[1]) * k; y[1] = 0.3; y[2] = y[2] + k; }
  }
  target += dot_self(x) + k * a[1] + dot_product(y, a);
}
