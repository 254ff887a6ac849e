data { int N; array[N] int k; }
parameters { vector[N] x; }
model {
  target += x[1] ^ 3 + 13 * x[2] + prod(x) ^ 2 + x[1] + x[2] ^ 2 + x[3] ^ 3 + 1;
}
