data { int N; }
parameters { vector[N] x; real a; }
model {
  for (n in 1:N) {
    if (x[n] > 0.2) target += sqrt(x[n] - 0.2) + log(x[n]);
    else { real q = x[n] ^ 3; q *= a; target += q; }
  }
  target += (a > 0 && x[1] > 0) ? sqrt(a * x[1]) : a;
  for (n in 1:N) target += a > x[n] || a > 0.7 ? log1p_exp(a) : x[n];
}
