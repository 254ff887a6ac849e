"""Programs that together use every form of the language."""

EIGHT_SCHOOLS = """
data {
  int<lower=0> J;
  array[J] real y;
  array[J] real<lower=0> sigma;
}
parameters {
  vector[J] theta_trans;
  real mu;
  real<lower=0> tau;
}
transformed parameters {
  vector[J] theta = theta_trans * tau + mu;
}
model {
  theta_trans ~ normal(0, 1);
  y ~ normal(theta, sigma);
  mu ~ normal(0, 5); // a non-informative prior
  tau ~ cauchy(0, 5) T[0, ];
}
"""

TYPES = """
data {
  int<lower=1, upper=10> N; int K;
  array[N, K] int<upper=3> counts;
  complex z;
  complex_vector[N] zv; complex_row_vector[N] zr; complex_matrix[N, K] zm;
}
transformed data {
  tuple(int, array[3] real<lower=0>, tuple(vector[N], matrix[N, K])) nested;
  array[2] tuple(int, real) pairs;
  real a, b = 2, c;
}
parameters {
  real<lower=-1, upper=1> r1;
  real<upper=b, lower=a> r2;
  real<offset=a, multiplier=b> r3;
  real<multiplier=b * (a > 1 ? 1 : 2)> r4;
  vector<lower=0>[N] v;
  row_vector<upper=0>[N] rv;
  matrix<offset=1>[N, K] m;
  ordered[N] o; positive_ordered[N] po; simplex[N] s; unit_vector[N] u;
  sum_to_zero_vector[N] zs; sum_to_zero_matrix[N, K] zsm;
  cholesky_factor_corr[N] lc; cholesky_factor_cov[N] l1; cholesky_factor_cov[N, K] l2;
  corr_matrix[N] co; cov_matrix[N] cv;
  column_stochastic_matrix[N, K] cs; row_stochastic_matrix[N, K] rs;
  array[N] simplex[K] mixed;
  real<lower=(a > b)> r5;
}
"""

FUNCTIONS = """
functions {
  real f(real x);
  real f(real x) { return x ^ 2; }
  real f(int n, array[] real x, array[,] vector v, data matrix m) { return 1; }
  void shout() { print("hello"); return; }
  tuple(real, array[,] int) pair(tuple(int, real) t) { return (t.2, {{t.1}}); }
  real wave_lpdf(real y, real mu) { return -(y - mu)^2; }
  real count_lpmf(int y) { return 0; }
  real draw_rng(real mu) { return normal_rng(mu, 1); }
  void add_lp(real x) { target += x; }
  real up_jacobian(real x) { jacobian += x; return exp(x); }
  complex_vector turn(complex_vector z) { return z * 1i; }
  real one(real x) return x;
}
"""

STATEMENTS = """
transformed data {
  int lower = 3; real offset = 1; vector[2] T = [1, 2]'; real jacobian;
  {
    real local = lower;
    lower = 1;
    profile("inner") { lower += 1; }
  }
  profile("it") { real p; p = 1; }
}
model {
  array[3] real x = {1, 2.5, .5};
  tuple(real, real) t = (1, 2);
  x[1] = 1; x[1:2] += 1; x -= 1; x *= 2; x /= 2; x .*= x; x ./= x;
  t.1 = 2; x[2] = t.1; (x[1], t.2) = t; ((a, b), c) = d; q[1].2[3].1 = 4;
  target += normal_lpdf(x | 0, 1); target += f_lpmf(n | ); target += target();
  jacobian += 1;
  -x ~ normal(0, 1); x[1] + 2 ~ normal(0, 1) T[, 3]; y ~ foo() T[1, 2]; y ~ foo() T[ , ];
  for (i in 1:3) for (j in i:(i ? 2 : 3)) { if (i > j) break; else continue; }
  for (e in x) print("e = ", e, 1 + 2);
  while (1) { reject("no: ", x); fatal_error("never"); print(""); }
  if (a) if (b) ; else x = 1;
  if (a) { if (b) x = 1; } else if (c) x = 2; else { x = 3; }
  shout(); add_lp(1);
  ; { }
}
generated quantities {
  real g = a ? b : c ? d : e;
  int k = 10 %/% 3 % 2;
  matrix[2, 2] m = [[1, 2], [3, 4]];
  m = m' * m .* m ./ m \\ m - -m + +m;
  g = m[1, ][2] + m[:, 1] + m[1:] + m[:2] + m[] + m[,] + m[{1, 2}] + m[a ? b : c : d];
  g = !a && b || c == d != (e < f) >= g;
  g = 2 ^ -1 ^ 2 .^ 3; g = (2 ^ 3) ^ 4; g = -2 ^ 2; g = (-2) ^ 2; g = (a + b)'; g = -a'; g = (-a)[1];
  g = 1_000.000_1e-1_0 + 1e10 + 1. + .5E+3 + 3i + 1.5e2i; t = (1,);
  g = ((((1))));
}
"""

DEPRECATED = """
# an old comment
data { int N; real y[N, 2]; }
model {
  real s[N], r;
  s[1] <- 1;
  increment_log_prob(s[1]);
  r = get_lp();
  if (r<-1) r = 2;
}
"""

ALL = {
    name.lower(): text
    for name, text in dict(globals()).items()
    if name in ("EIGHT_SCHOOLS", "TYPES", "FUNCTIONS", "STATEMENTS", "DEPRECATED")
}
