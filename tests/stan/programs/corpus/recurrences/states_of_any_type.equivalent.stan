data { int T; }
parameters { vector[2] a; matrix[2, 2] A; array[T] real e; }
model {
  vector[2] v = a;
  matrix[2, 2] M = A;
  real t1 = 1;
  vector[2] t2 = a;
  for (i in 1:T) {
    v = tanh(M * v) + e[i] * 2 * i;
    M[1] = v';
    t1 *= v[2];
    t2[1] += t1;
    v[2] = t2[1] - a[1];
  }
  target += sum(v) + sum(M) + 2 * T * t1 + t2[1];
}
