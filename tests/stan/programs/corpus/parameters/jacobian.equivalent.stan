parameters { real x; vector[2] y; }
model {
  target += x + sum(y) - y[1] ^ 2 - 2 * y[2] ^ 2;
  exp(x) ~ gamma(2, 1);
  exp(y) ~ gamma(2, 1);
}
