functions {
  real f(vector x) {
    vector[num_elements(x)] z = x;
    for (n in 1:num_elements(z)) z[n] = z[n] * n;
    z[1] = 0;
    return sum(z);
  }
  matrix outer(vector a, data vector b) {
    matrix[rows(a), rows(b)] M;
    for (i in 1:rows(a)) for (j in 1:rows(b)) M[i, j] = a[i] * b[j];
    return M;
  }
  array[] vector pieces(vector a) { array[2] vector[2] r; r[1] = a[1:2]; r[2] = a[3:4]; return r; }
  vector walk(vector e, real phi) {
    int n = num_elements(e);
    vector[n] x;
    x[1] = e[1];
    for (i in 2:n) x[i] = phi * x[i - 1] + e[i];
    return x;
  }
}
data { int N; vector[N] y; matrix[3, N] Y; }
parameters { vector[N] x; real phi; }
model {
  target += f(x) + sum(x) + sum(outer(x, y)) + pieces(x)[2, 1] * sum(walk(x, phi));
  for (k in 1:3) target += dot_product(Y[k], walk(x * k, phi));
}
