"""Loops whose iterations do not depend on each other."""

from tests.stan.running import Case


_Y = [0.3, -1.2, 0.8, 2.1, -0.4, 1.0]
_G = [1, 3, 2, 2, 1, 3]

INDEPENDENT = {
    "observations": Case(
        """
        data { int N; int J; vector[N] y; array[N] int g; }
        parameters { vector[J] mu; real<lower=0> sigma; }
        model {
          mu ~ normal(0, 2);
          sigma ~ exponential(1);
          for (n in 1:N) y[n] ~ normal(mu[g[n]], sigma);
        }
        """,
        {"N": 6, "J": 3, "y": _Y, "g": _G},
    ),
    "filled array": Case(
        """
        data { int N; vector[N] y; array[N] int g; }
        parameters { vector[3] a; real b; }
        transformed parameters {
          vector[N] eta;
          for (n in 1:N) eta[n] = a[g[n]] + b * y[n];
        }
        model { for (n in 1:N) { real z = exp(eta[n]); target += -z + eta[n] * n; } }
        """,
        {"N": 6, "y": _Y, "g": _G},
    ),
    "filled in another order": Case(
        """
        data { int N; array[N] int at; }
        parameters { vector[N] a; }
        model {
          vector[N] x;
          vector[2 * N] z = rep_vector(1, 2 * N);
          for (n in 1:N) x[at[n]] = a[n] ^ 2;
          for (n in 1:N) z[2 * n] = x[n] * n;
          for (n in 1:N) target += x[N + 1 - n] * z[2 * n] - z[2 * n - 1] * a[n];
        }
        """,
        {"N": 5, "at": [3, 1, 5, 2, 4]},
    ),
    "mixture": Case(
        """
        data { int N; vector[N] y; }
        parameters { real<lower=0, upper=1> theta; vector[2] mu; vector<lower=0>[2] sigma; }
        model {
          for (n in 1:N)
            target += log_mix(theta, normal_lpdf(y[n] | mu[1], sigma[1]), normal_lpdf(y[n] | mu[2], sigma[2]));
        }
        """,
        {"N": 6, "y": _Y},
    ),
    "nested": Case(
        """
        data { int N; int J; matrix[N, J] y; }
        parameters { vector[N] a; row_vector[J] b; }
        model {
          matrix[N, J] eta;
          for (n in 1:N) for (j in 1:J) eta[n, j] = a[n] * b[j] + n;
          for (j in 1:J) for (n in 1:N) y[n, j] ~ normal(eta[n, j], 1 + j);
        }
        """,
        {"N": 3, "J": 2, "y": [[1, 2], [0.5, -1], [3, 0]]},
    ),
    "triangle": Case(
        """
        data { int N; }
        parameters { vector[N] a; }
        model {
          matrix[N, N] K;
          for (i in 1:N) {
            K[i, i] = 2;
            for (j in (i + 1):N) { K[i, j] = exp(-square(a[i] - a[j])); K[j, i] = K[i, j]; }
          }
          target += sum(K * a) + log_determinant(K);
        }
        """,
        {"N": 4},
    ),
    "sums into elements": Case(
        """
        data { int N; int J; vector[N] y; array[N] int g; }
        parameters { vector[N] a; }
        model {
          vector[J] total = rep_vector(0.5, J);
          real all_of_them = 0;
          for (n in 1:N) { total[g[n]] += a[n] * y[n]; all_of_them += a[n] ^ 2; }
          for (n in 1:N) total[g[n]] -= square(a[n]);
          target += dot_self(total) + all_of_them;
        }
        """,
        {"N": 6, "J": 4, "y": _Y, "g": _G},
    ),
    "conditions on data": Case(
        """
        data { int N; array[N] int k; }
        parameters { vector[N] x; }
        model {
          vector[N] z;
          for (n in 1:N) {
            if (k[n] == 1) z[n] = x[n];
            else if (k[n] == 2) { real w = exp(x[n]); z[n] = w * n; }
            else z[n] = k[n] > 3 ? x[n] ^ 3 : -x[n];
            if (k[n] != 2 && x[1] < 10) target += z[n];
          }
          target += -dot_self(z);
        }
        """,
        {"N": 5, "k": [1, 2, 3, 4, 2]},
    ),
    "conditions on parameters": Case(
        """
        data { int N; }
        parameters { vector[N] x; real a; }
        model {
          for (n in 1:N) {
            if (x[n] > 0.2) target += sqrt(x[n] - 0.2) + log(x[n]);
            else { real q = x[n] ^ 3; q *= a; target += q; }
          }
          target += (a > 0 && x[1] > 0) ? sqrt(a * x[1]) : a;
          for (n in 1:N) target += a > x[n] || a > 0.7 ? log1p_exp(a) : x[n];
        }
        """,
        {"N": 6},
    ),
    "foreach": Case(
        """
        data { int N; array[N] int k; matrix[2, 3] m; array[2] vector[2] v; }
        parameters { vector[N] x; matrix[2, 2] p; array[2, 2] real r; }
        model {
          for (e in x) target += -e ^ 2;
          for (e in k) target += x[e] * e;
          for (e in m) target += e * x[1];
          for (e in p) { real z = e; target += z ^ 3; }
          for (e in v) target += dot_product(e, x[1:2]);
          for (row in r) for (e in row) target += e * row[1];
        }
        """,
        {"N": 3, "k": [2, 3, 2], "m": [[1, 2, 3], [4, 5, 6]], "v": [[1, 2], [3, 4]]},
    ),
    "sequence that order matters in": Case(
        """
        data { int N; }
        parameters { vector[N] a; }
        model {
          real s = 0;
          int n_big = 0;
          for (n in 1:N) s = s + a[n] * n;
          for (e in a) { s = s * 0.5 + e; n_big += 1; s += e * n_big; }
          target += s ^ 2 * n_big;
        }
        """,
        {"N": 4},
    ),
    "empty loops": Case(
        """
        data { int N; vector[N] y; array[3] int n; }
        parameters { real a; vector[N] none; array[N] vector[2] nothing; }
        model {
          real s = a;
          matrix[N, 2] X = rep_matrix(a, N, 2);
          for (i in 1:N) s += y[i] * none[i];
          for (i in 2:1) s = s * 2;
          for (i in 1:3) for (j in 1:n[i]) s += a ^ j;
          for (i in 1:N) nothing[i] ~ normal(0, 1);
          none ~ normal(y, 1);
          X * rep_vector(a, 2) ~ normal(0, 1);
          target += s + sum(none) + prod(y) + num_elements(X);
        }
        """,
        {"N": 0, "y": [], "n": [0, 2, 0]},
        equivalent="parameters { real a; } model { target += 2 * a + a ^ 2 + 1; }",
    ),
}
