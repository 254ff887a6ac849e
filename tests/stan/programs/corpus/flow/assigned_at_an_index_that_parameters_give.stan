data { int N; }
parameters { vector[N] x; }
model {
  array[2] real s = {0.3, 0.7};
  for (n in 1:N) {
    int k = x[n] > 0 ? 1 : 2;
    s[k] = sin(x[n]);
    target += s[1] * n + s[2];
  }
}
