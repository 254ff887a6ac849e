functions {
  vector f(vector y, vector theta, data array[] real xr, data array[] int xi) {
    return [y[1] ^ 2 - theta[1], y[2] * y[1] - theta[2]]';
  }
  real g(real x, real xc, array[] real theta, data array[] real xr, data array[] int xi) {
    return exp(-theta[1] * x * x);
  }
}
transformed data { array[0] real xr; array[0] int xi; }
parameters { vector<lower=0.1>[2] theta; }
model {
  vector[2] y = algebra_solver(f, [1, 1]', theta, xr, xi, 1e-12, 1e-12, 1000);
  target += y[1] + 2 * y[2] + integrate_1d(g, 0.0, 1.0, {theta[1]}, xr, xi);
}
