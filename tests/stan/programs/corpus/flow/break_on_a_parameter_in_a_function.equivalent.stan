functions {
  real f(vector x, real limit) {
    real s = 0;
    for (n in 1:num_elements(x)) if (s <= limit) s += exp(x[n]);
    return s;
  }
}
data { int N; }
parameters { vector[N] x; }
model { for (k in 1:3) target += f(x, k) * x[k]; target += f(x, 0.1); }
