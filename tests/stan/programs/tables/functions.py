"""Functions of users."""

from tests.stan.running import Case


_Y = [0.3, -1.2, 0.8, 2.1]

FUNCTIONS = {
    "conditional returns": Case(
        """
        functions {
          real f(real x, int k) {
            if (k == 1) return x;
            if (k == 2) { real z = square(x); return z; }
            return exp(x);
          }
          real g(real x) { if (x > 0) return sqrt(x); return x * x; }
          vector h(vector x, int n) {
            vector[n] z = x[1:n];
            if (n > 2) { if (x[1] > 0) return 2 * z; else z[1] = 5; }
            return z / 3;
          }
        }
        data { int N; array[N] int k; }
        parameters { vector[N] x; }
        model {
          for (n in 1:N) target += f(x[n], k[n]);
          for (n in 1:N) target += g(x[n]);
          target += sum(h(x, 3)) + sum(h(x, 2)) + g(-2) + f(1, 3);
        }
        """,
        {"N": 4, "k": [1, 2, 3, 1]},
    ),
    "recursion": Case(
        """
        functions {
          real power(real x, int n);
          real power(real x, int n) { if (n == 0) return 1; return x * power(x, n - 1); }
          int fib(int n) { return n < 2 ? 1 : fib(n - 1) + fib(n - 2); }
          real sum_of(vector x) {
            int n = num_elements(x);
            if (n == 1) return x[1] ^ 2;
            return sum_of(x[1:(n %/% 2)]) * sum_of(x[(n %/% 2 + 1):n]);
          }
        }
        data { int N; array[N] int k; }
        parameters { vector[N] x; }
        model {
          target += power(x[1], 3) + fib(6) * x[2] + sum_of(x);
          for (n in 1:N) target += power(x[n], k[n]);
        }
        """,
        {"N": 4, "k": [1, 2, 3, 0]},
        equivalent="""
        data { int N; array[N] int k; }
        parameters { vector[N] x; }
        model {
          target += x[1] ^ 3 + 13 * x[2] + prod(x) ^ 2 + x[1] + x[2] ^ 2 + x[3] ^ 3 + 1;
        }
        """,
    ),
    "densities and overloads": Case(
        """
        functions {
          real my_lpdf(vector y, real m) { return -0.5 * dot_self(y - m); }
          real my_lpdf(real y, real m) { return -abs(y - m); }
          real count_lpmf(array[] int k, real rate) { return poisson_lpmf(k | exp(rate)); }
          void prior_lp(real x) { x ~ normal(0, 1); target += x; }
          real shifted_lp(real x) { target += -x ^ 2; return x + 1; }
          int f(int n) { return 2 * n; }
          real f(real x) { return x / 2; }
          void nothing_much(real x) { if (x > 0) return; }
        }
        data { int N; array[N] int k; vector[N] y; }
        parameters { vector[N] x; real m; }
        model {
          y ~ my(m);
          for (n in 1:N) y[n] ~ my(x[n]);
          target += my_lpdf(x | m) + my_lupdf(y[1] | x[1]);
          k ~ count(m);
          prior_lp(m);
          for (n in 1:N) prior_lp(x[n]);
          target += shifted_lp(m) * f(3) + f(m);
          nothing_much(m);
        }
        """,
        {"N": 4, "k": [1, 2, 3, 0], "y": _Y},
    ),
    "arguments are copies": Case(
        """
        functions {
          real f(vector x) {
            vector[num_elements(x)] z = x;
            for (n in 1:num_elements(z)) z[n] = z[n] * n;
            z[1] = 0;
            return sum(z);
          }
          matrix outer(vector a, data vector b) {
            matrix[rows(a), rows(b)] M;
            for (i in 1:rows(a)) for (j in 1:rows(b)) M[i, j] = a[i] * b[j];
            return M;
          }
          array[] vector pieces(vector a) { array[2] vector[2] r; r[1] = a[1:2]; r[2] = a[3:4]; return r; }
          vector walk(vector e, real phi) {
            int n = num_elements(e);
            vector[n] x;
            x[1] = e[1];
            for (i in 2:n) x[i] = phi * x[i - 1] + e[i];
            return x;
          }
        }
        data { int N; vector[N] y; matrix[3, N] Y; }
        parameters { vector[N] x; real phi; }
        model {
          target += f(x) + sum(x) + sum(outer(x, y)) + pieces(x)[2, 1] * sum(walk(x, phi));
          for (k in 1:3) target += dot_product(Y[k], walk(x * k, phi));
        }
        """,
        {"N": 4, "y": _Y, "Y": [_Y, [1, 2, 3, 4], [0, 1, 0, 1]]},
    ),
    "higher order": Case(
        """
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
        """,
        {"N": 4, "y": _Y, "g": [1, 2, 1, 2], "xr": [[1, 2, 3.0], [4, 5, 6.0]], "xi": [[1], [2]]},
    ),
    "solvers": Case(
        """
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
        """,
    ),
}
