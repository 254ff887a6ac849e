functions {
  vector centred(vector y) {
    int K = num_elements(y) + 1;
    vector[K] z = rep_vector(0, K);
    for (n in 1:(K - 1)) {
      real w = y[n] / sqrt(n * (n + 1.0));
      z[1:n] += w;
      z[n + 1] -= n * w;
    }
    return z;
  }
}
parameters { array[2] simplex[3] columns; matrix[2, 2] free; }
model {
  array[2] vector[3] rs;
  for (n in 1:2) {
    rs[n] = softmax(centred(free[n]'));
    target += sum(log(rs[n])) + log(3) / 2;
  }
  target += columns[2, 1] * 2 + columns[1, 3] * rs[2, 3] + rs[1, 1] ^ 2;
}
