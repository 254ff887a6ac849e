parameters { array[2] real z; array[2, 2] real v; real a; }
model {
  real wr = z[1] ^ 2 - z[2] ^ 2 + a;
  real wi = 2 * z[1] * z[2];
  array[2, 2] real u;
  for (k in 1:2) {
    u[k, 1] = v[k, 1] * wr - v[k, 2] * wi;
    u[k, 2] = v[k, 1] * wi + v[k, 2] * wr;
  }
  u[1, 1] += 1;
  for (k in 1:2) {
    real r = wr * v[k, 1] - wi * v[k, 2];
    wi = wr * v[k, 2] + wi * v[k, 1];
    wr = r;
    target += u[k, 1];
  }
  target += sqrt(wr ^ 2 + wi ^ 2) + u[2, 2] + exp(2 * z[1]);
  target += (a * z[1] + 2 * z[2]) / (z[1] ^ 2 + z[2] ^ 2);
}
