data { int K; int N; array[K] int n; vector[N] y; }
parameters { real phi; vector[N] e; }
model {
  int pos = 1;
  for (k in 1:K) {
    vector[n[k]] x;
    x[1] = e[pos];
    for (t in 2:n[k]) x[t] = sin(phi * x[t - 1]) + e[pos + t - 1];
    target += -dot_self(x) + log_sum_exp(x);
    pos += n[k];
  }
}
