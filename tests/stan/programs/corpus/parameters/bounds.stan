data { int N; vector[2] low; }
parameters {
  real<lower=0> a;
  real<upper=2> b;
  real<lower=-1, upper=3> c;
  real<lower=a, upper=(a + exp(c))> d;
  vector<lower=low>[2] v;
  array[N] vector<lower=0.5, upper=2>[2] w;
  vector<lower=v, upper=(v + 2)>[2] inside;
  row_vector<upper=c>[2] r;
  matrix<lower=0, upper=1>[2, 3] M;
  array[2, 2] real<lower=b> e;
  real<lower=negative_infinity(), upper=1> open;
}
model {
  target += a + 2 * b + 3 * c * d + dot_product(v, w[1] - 2 * w[2]) * inside[2];
  target += r * v + e[1, 2] * e[2, 1] + open ^ 2;
  for (i in 1:2) for (j in 1:3) target += M[i, j] * (i + 10 * j);
}
