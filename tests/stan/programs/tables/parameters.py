"""Constraints of parameters, and what transformed parameters and `jacobian +=` do."""

from tests.stan.running import Case


PARAMETERS = {
    "bounds": Case(
        """
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
        """,
        {"N": 2, "low": [-1, 0.5]},
    ),
    "offset and multiplier": Case(
        """
        data { vector[2] m; }
        parameters {
          real mu;
          real<lower=0> s;
          vector<offset=mu, multiplier=s>[2] x;
          vector<offset=m, multiplier=[s, 2]'>[2] y;
          array[2] real<multiplier=s> z;
          real<offset=mu> o;
        }
        model { x ~ normal(mu, s); y ~ normal(0, 1); target += z[1] * z[2] + o ^ 3; }
        """,
        {"m": [1, -1]},
    ),
    "vectors": Case(
        """
        parameters {
          simplex[4] p;
          array[2] simplex[3] ps;
          ordered[3] o;
          positive_ordered[3] po;
          unit_vector[3] u;
          sum_to_zero_vector[4] z;
          array[2, 2] ordered[2] oo;
        }
        model {
          p ~ dirichlet([1, 2, 3, 4]');
          for (i in 1:2) ps[i] ~ dirichlet([1, 2, 3]');
          o ~ normal(0, 1);
          po ~ normal(0, 1);
          target += u[1] * 2 + u[3] + z[1] * z[2] + oo[1, 2, 1] * oo[2, 1, 2];
        }
        """,
    ),
    "matrices": Case(
        """
        data { matrix[3, 3] S; }
        parameters {
          cholesky_factor_corr[3] L;
          corr_matrix[3] C;
          cov_matrix[3] V;
          cholesky_factor_cov[3] K;
          cholesky_factor_cov[3, 2] K2;
          array[2] corr_matrix[2] CC;
          sum_to_zero_matrix[2, 3] zm;
          vector[3] x;
        }
        model {
          L ~ lkj_corr_cholesky(2);
          C ~ lkj_corr(1.5);
          V ~ wishart(5, S);
          K[1] ~ normal(0, 1);
          x ~ multi_normal_cholesky(rep_vector(0, 3), L);
          x ~ multi_normal(V[1]', C);
          target += sum(K) + sum(K2 .* K2) + CC[1, 1, 2] * CC[2, 2, 1];
          target += zm[1, 2] * zm[2, 3];
        }
        """,
        {"S": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
    ),
    "stochastic matrices": Case(
        """
        parameters { column_stochastic_matrix[3, 2] cs; row_stochastic_matrix[2, 3] rs; }
        model { target += cs[1, 2] * 2 + cs[3, 1] * rs[2, 3] + rs[1, 1] ^ 2; }
        """,
        equivalent="""
        functions {
          vector centred(vector y) {
            int K = num_elements(y) + 1;
            vector[K] z = rep_vector(0, K);
            for (n in 1:(K - 1)) {
              real w = y[n] / sqrt(n * (n + 1.0));
              z[1:n] += w;
              z[n + 1] -= n * w;
            }
            return z;
          }
        }
        parameters { array[2] simplex[3] columns; matrix[2, 2] free; }
        model {
          array[2] vector[3] rs;
          for (n in 1:2) {
            rs[n] = softmax(centred(free[n]'));
            target += sum(log(rs[n])) + log(3) / 2;
          }
          target += columns[2, 1] * 2 + columns[1, 3] * rs[2, 3] + rs[1, 1] ^ 2;
        }
        """,
    ),
    "transformed parameters": Case(
        """
        data { int N; }
        parameters { vector[N] x; real<lower=0> s; }
        transformed parameters {
          vector[N] raw = x * s;
          real<lower=0> total = dot_self(x);
          array[N] real<lower=-100, upper=100> each;
          { real hidden = 3; for (n in 1:N) each[n] = raw[n] + hidden; }
        }
        model { each ~ normal(raw, total); }
        """,
        {"N": 3},
    ),
    "jacobian": Case(
        """
        functions {
          real positive_jacobian(real x) { jacobian += x; return exp(x); }
        }
        parameters { real x; vector[2] y; }
        transformed parameters {
          real a = exp(x);
          vector[2] b;
          jacobian += x;
          for (k in 1:2) { b[k] = positive_jacobian(y[k]); jacobian += -square(y[k]) * k; }
        }
        model { a ~ gamma(2, 1); b ~ gamma(2, 1); }
        """,
        equivalent="""
        parameters { real x; vector[2] y; }
        model {
          target += x + sum(y) - y[1] ^ 2 - 2 * y[2] ^ 2;
          exp(x) ~ gamma(2, 1);
          exp(y) ~ gamma(2, 1);
        }
        """,
    ),
    "size zero": Case(
        """
        parameters {
          vector[0] none;
          array[0] real<lower=0> a;
          array[2] vector[0] av;
          matrix[0, 3] M;
          simplex[1] p;
          cholesky_factor_corr[1] L;
          cov_matrix[1] V;
          real x;
        }
        model { target += x * p[1] + L[1, 1] + V[1, 1] + sum(none) + sum(a) + sum(av[2]) + sum(M); }
        """,
    ),
}
