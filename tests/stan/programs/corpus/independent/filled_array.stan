data { int N; vector[N] y; array[N] int g; }
parameters { vector[3] a; real b; }
transformed parameters {
  vector[N] eta;
  for (n in 1:N) eta[n] = a[g[n]] + b * y[n];
}
model { for (n in 1:N) { real z = exp(eta[n]); target += -z + eta[n] * n; } }
