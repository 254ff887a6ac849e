functions {
  real checked(real x) {
    if (x < -5) reject("x is ", x);
    return x;
  }
}
data { int N; }
parameters { vector[N] x; }
model {
  if (N < 0) reject("never");
  for (n in 1:N) { if (x[n] > 3) reject("too large: ", x[n]); target += checked(x[n]); }
  if (x[1] > 100) fatal_error("impossible");
  print("x = ", x);
}
