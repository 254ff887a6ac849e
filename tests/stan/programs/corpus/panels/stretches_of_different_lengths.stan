data { int K; int N; array[K] int first; array[K] int last; vector[N] y; }
parameters { real phi; vector[K] e; }
model {
  vector[N] x;
  for (k in 1:K) {
    real s = e[k];
    for (t in first[k]:last[k]) { s = sin(phi * s + y[t]); x[t] = s; }
  }
  target += -dot_self(x - y);
}
