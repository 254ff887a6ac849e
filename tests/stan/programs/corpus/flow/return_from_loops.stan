functions {
  int where(array[] int g, int k) {
    for (n in 1:size(g)) if (g[n] == k) return n;
    return 1;
  }
  real first_positive(vector x) {
    for (n in 1:num_elements(x)) {
      real z = x[n] * n;
      if (x[n] > 0) return log(z);
    }
    return -1;
  }
  real pair(vector x, real bound) {
    for (i in 1:num_elements(x)) {
      for (j in 1:i) if (x[i] + x[j] > bound) return x[i] * x[j] * i + j;
    }
    return 0.1;
  }
}
data { int N; array[N] int g; }
parameters { vector[N] x; }
model {
  for (k in 1:4) target += x[where(g, k)] ^ 2;
  target += first_positive(x) + first_positive(-x) + pair(x, 0.5) + pair(x, 10);
  for (k in 1:3) target += first_positive(x[k:(k + 2)]);
}
