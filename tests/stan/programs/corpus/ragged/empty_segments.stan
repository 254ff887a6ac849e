data { int K; array[K] int s; vector[6] y; }
parameters { vector[K] mu; }
model {
  int pos = 1;
  for (k in 1:K) {
    vector[s[k]] mine = y[pos:(pos + s[k] - 1)] * mu[k];
    target += sum(mine) - dot_self(mine);
    for (i in 1:s[k]) target += mine[i] * i;
    pos += s[k];
  }
}
