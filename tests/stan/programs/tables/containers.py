"""Tuples, complex numbers, arrays of containers, truncation and other forms of statements."""

from tests.stan.running import Case


_Y = [0.3, 1.2, 0.8, 2.1]

CONTAINERS = {
    "tuples": Case(
        """
        functions { tuple(real, vector) f(real a, vector b) { return (a + 1, b * a); } }
        data { int N; }
        parameters { real a; vector[N] b; }
        transformed parameters {
          tuple(real, vector[N]) t = f(a, b);
          array[N] tuple(real, vector[2]) q;
          for (n in 1:N) { q[n].1 = b[n] * 2; q[n].2 = [a, b[n]]'; }
        }
        model {
          real x;
          vector[N] z;
          tuple(real, tuple(vector[N], int)) deep = (a, (b, 3));
          target += t.1 + sum(t.2);
          for (n in 1:N) target += q[n].1 * q[n].2[2] * n;
          (x, z) = t;
          target += x * sum(z);
          deep.2.1[2] = a ^ 2;
          target += deep.1 * sum(deep.2.1) * deep.2.2;
        }
        """,
        {"N": 4},
        equivalent="""
        data { int N; }
        parameters { real a; vector[N] b; }
        model {
          vector[N] z = b * a;
          vector[N] c = b;
          c[2] = a ^ 2;
          target += a + 1 + sum(z) + (a + 1) * sum(z);
          for (n in 1:N) target += b[n] * 2 * b[n] * n;
          target += a * sum(c) * 3;
        }
        """,
    ),
    "complex numbers": Case(
        """
        parameters { complex z; complex_vector[2] v; real a; }
        model {
          complex w = z * z + a;
          complex_vector[2] u = v * w;
          u[1] += 1;
          for (k in 1:2) { w = w * v[k]; target += get_real(u[k]); }
          target += abs(w) + get_imag(u[2]) + norm(exp(z));
          target += get_real(to_complex(a, 2) / z);
        }
        """,
        equivalent="""
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
        """,
    ),
    "arrays of containers": Case(
        """
        data { int N; array[2] matrix[2, 2] S; }
        parameters { array[N] vector[2] v; array[2, 2] real r; array[2] row_vector[3] rv; matrix[2, 3] M; }
        model {
          array[2] matrix[2, 3] B;
          v ~ multi_normal(v[1], S[1]);
          for (n in 1:N) v[n] ~ multi_normal(rep_vector(r[1, 2], 2), S[2]);
          for (i in 1:2) rv[i] ~ normal(M[i], 1);
          for (i in 1:2) for (j in 1:3) B[i, 1, j] = M[i, j];
          for (i in 1:2) B[i][2] = rv[i];
          for (i in 1:2) target += sum(B[i] * M') * r[i, 1];
          target += M[1] * rv[2]' + sum(M .* M) + sum(M[, 2]) + dot_product(M[2], rv[1]) + sum((M * M')[1]);
          to_vector(M) ~ normal([1, 2, 3, 4, 5, 6]', 1);
        }
        """,
        {"N": 3, "S": [[[2, 0.3], [0.3, 1]], [[1, -0.2], [-0.2, 3]]]},
    ),
    "truncation": Case(
        """
        data { int N; vector[N] y; vector[N] high; }
        parameters { real mu; real<lower=0> s; }
        model {
          for (n in 1:N) y[n] ~ normal(mu, s) T[0, ];
          for (n in 1:N) y[n] ~ normal(mu, s) T[ , 10];
          for (n in 1:N) y[n] ~ normal(mu, s) T[-1, high[n]];
          mu ~ cauchy(0, 1) T[-3, s + 5];
          s ~ exponential(2) T[ , 20];
        }
        """,
        {"N": 4, "y": _Y, "high": [3, 4, 5, 6]},
    ),
    "truncated_containers": Case(
        """
        data { int N; vector[N] y; array[N] real r; array[N] int k; real L; vector[N] low; array[2, N] int K; }
        parameters { real mu; real<lower=0> s; vector[N] m; row_vector<lower=0>[N] lambda; real<lower=1, upper=2> z; }
        model {
          y ~ normal(mu, s) T[L, ];
          y[2:] ~ normal(m[2:], s) T[-3, mu + 9];
          r ~ student_t(4, m, lambda) T[ , s + 6];
          m ~ normal(0, 3) T[-30, 30];
          k ~ poisson(s) T[0, ];
          k ~ poisson(lambda) T[ , 7];
          k ~ neg_binomial_2(mu ^ 2 + 1, lambda) T[0, 5];
          lambda ~ exponential(s) T[0.01, 50];
          mu ~ normal(m, lambda) T[-9, 9];
          (y - L)' ~ gamma(s + 1, 2) T[0.001, 90];
          for (i in 1:2) K[i] ~ binomial(7, inv_logit(m)) T[0, 6];
          for (n in 1:N) y[n] ~ cauchy(m[n], s) T[low[n], low[n] + 6];
          for (n in 2:N) y[1:n] ~ logistic(mu, s) T[ , 5 + n];
          z ~ lognormal(0, s) T[1, 2];
        }
        """,
        {
            "N": 4,
            "y": _Y,
            "r": _Y,
            "k": [1, 0, 3, 2],
            "L": -2.5,
            "low": [-3, -2, -1, -0.5],
            "K": [[1, 2, 0, 4], [5, 6, 3, 0]],
        },
    ),
    "vectorised": Case(
        """
        data { int N; vector[N] y; array[N] int k; matrix[N, 2] X; }
        parameters { vector[2] beta; real a; real<lower=0> s; vector[N] eta; }
        model {
          y ~ normal(X * beta + a, s);
          [beta[1], a] ~ normal({0.5, s}, 2);
          k ~ poisson_log(eta);
          k ~ poisson_log_glm(X, a, beta);
          eta ~ student_t(3, [a, a, 0, 1]', s);
          target += normal_lpdf(y | eta, 2) + sum(log1p_exp(eta)) + (a > 0 ? a : -a) + k[1] %/% 2 + k[3] / 2 * a;
        }
        """,
        {"N": 4, "y": _Y, "k": [1, 0, 3, 2], "X": [[1, 2], [0, 1], [1, 1], [-1, 0.5]]},
    ),
    "operators": Case(
        """
        data { int n; int m; }
        parameters { matrix[2, 2] A; vector[2] b; row_vector[2] c; real x; }
        model {
          target += c * A * b + sum(A \\ b) + sum(c / (A + 5)) + sum(A .* A') + sum(A ./ (2 + A)) + sum(b * c);
          target += sum(2 ^ b) + sum(b .^ 2) + -x ^ 2 + n %/% m + n % m + (n / 2) * x + 2 ^ -1;
          target += (n > m) * x + !n + (x < 0) + (n == m || x > 5) + (n != m && x <= 0) + sum(A ^ 2);
          target += sum(b' - c) + sum(-A + 1) + dot_self(b / 2) + (n > 2 ? n : x);
          target += sum([x, x ^ 2]) + sum([[x, 1], [2, x]]');
        }
        """,
        {"n": 7, "m": 3},
    ),
}
