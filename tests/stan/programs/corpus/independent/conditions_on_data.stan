data { int N; array[N] int k; }
parameters { vector[N] x; }
model {
  vector[N] z;
  for (n in 1:N) {
    if (k[n] == 1) z[n] = x[n];
    else if (k[n] == 2) { real w = exp(x[n]); z[n] = w * n; }
    else z[n] = k[n] > 3 ? x[n] ^ 3 : -x[n];
    if (k[n] != 2 && x[1] < 10) target += z[n];
  }
  target += -dot_self(z);
}
