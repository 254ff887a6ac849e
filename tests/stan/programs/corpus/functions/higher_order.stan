functions {
  real part(array[] real y, int start, int end, array[] int g, vector mu) {
    real t = 0;
    for (i in start:end) t += normal_lpdf(y[i - start + 1] | mu[g[i]], 1);
    return t;
  }
  vector shard(vector phi, vector theta, array[] real xr, array[] int xi) {
    return [normal_lpdf(xr | theta[1] * phi[1], 1) + xi[1]]';
  }
}
data { int N; array[N] real y; array[N] int g; array[2, 3] real xr; array[2, 1] int xi; }
parameters { vector[2] mu; array[2] vector[1] theta; }
model {
  target += reduce_sum(part, y, 1, g, mu);
  target += sum(map_rect(shard, mu, theta, xr, xi));
}
