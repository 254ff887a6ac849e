// A basis of B-splines made in a function of the program, and a random walk over its coefficients.
functions {
  vector basis(vector x, vector knots, int i, int order) {
    int N = num_elements(x);
    vector[N] b;
    if (order == 1) {
      for (n in 1:N) {
        b[n] = (knots[i] <= x[n]) && (x[n] < knots[i + 1]);
      }
      return b;
    }
    vector[N] w1 = rep_vector(0, N);
    vector[N] w2 = rep_vector(0, N);
    if (knots[i] != knots[i + order - 1]) {
      w1 = (x - knots[i]) / (knots[i + order - 1] - knots[i]);
    }
    if (knots[i + 1] != knots[i + order]) {
      w2 = 1 - (x - knots[i + 1]) / (knots[i + order] - knots[i + 1]);
    }
    return w1 .* basis(x, knots, i, order - 1) + w2 .* basis(x, knots, i + 1, order - 1);
  }
}
data {
  int<lower=1> N, B;
  vector[N] x, y;
  vector[B + 4] knots;
}
transformed data {
  matrix[N, B] X;
  for (b in 1:B) {
    X[ : , b] = basis(x, knots, b, 4);
  }
}
parameters {
  vector[B] z;
  real<lower=0> tau, sigma;
}
transformed parameters {
  vector[B] a;
  a[1] = z[1];
  for (b in 2:B) {
    a[b] = a[b - 1] + z[b] * tau;
  }
}
model {
  z ~ std_normal();
  tau ~ normal(0, 1);
  sigma ~ normal(0, 1);
  y ~ normal(X * a, sigma);
}
