functions {
  real first_positive(vector x) {
    real found = -1;
    int searching = 1;
    for (n in 1:num_elements(x)) if (searching && x[n] > 0) { found = log(x[n] * n); searching = 0; }
    return found;
  }
  real pair(vector x, real bound) {
    real found = 0.1;
    int searching = 1;
    for (i in 1:num_elements(x)) for (j in 1:i)
      if (searching && x[i] + x[j] > bound) { found = x[i] * x[j] * i + j; searching = 0; }
    return found;
  }
}
data { int N; array[N] int g; }
parameters { vector[N] x; }
model {
  target += x[2] ^ 2 + x[3] ^ 2 + 2 * x[1] ^ 2;
  target += first_positive(x) + first_positive(-x) + pair(x, 0.5) + pair(x, 10);
  for (k in 1:3) target += first_positive(x[k:(k + 2)]);
}
