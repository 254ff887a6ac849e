functions {
  real f(vector y, vector e, real phi) {
    real x = 0.1;
    for (t in 1:size(y)) { x = phi * x + e[t]; if (y[t] > 1.5) return x * t; x *= 2; }
    return -x;
  }
}
data { int N; vector[N] y; }
parameters { real phi; vector[N] e; }
model { target += f(y, e, phi) ^ 2; for (k in 1:5) target += f(y[k:N], e[k:N], phi * k) * e[k]; }
