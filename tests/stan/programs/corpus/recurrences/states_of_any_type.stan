data { int T; }
parameters { vector[2] a; matrix[2, 2] A; array[T] real e; }
model {
  vector[2] v = a;
  matrix[2, 2] M = A;
  int k = 0;
  tuple(real, vector[2]) t = (1, a);
  for (i in 1:T) {
    k += 2;
    v = tanh(M * v) + e[i] * k;
    M[1] = v';
    t.1 *= v[2];
    t.2[1] += t.1;
    v[2] = t.2[1] - a[1];
  }
  target += sum(v) + sum(M) + k * t.1 + t.2[1];
}
