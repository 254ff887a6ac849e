"""Loops whose iterations follow from those before."""

from tests.stan.running import Case


_SERIES = [0.3, -1.2, 0.8, 2.1, -0.4, 1.0, 0.2, -0.7, 1.4, 0.1]
_TABLE = [[0.3, -1.2, 0.8], [2.1, -0.4, 1.0], [0.2, -0.7, 1.4], [0.1, 0.9, -0.2], [1.1, -0.3, 0.6]]
_OUTCOMES = [[0, 1, 1, 0, 1], [1, 0, 0, 1, 1], [0, 0, 1, 1, 0]]

RECURRENCES = {
    "moving average": Case(
        """
        data { int T; array[T] real y; }
        parameters { real mu; real phi; real theta; real<lower=0> sigma; }
        model {
          vector[T] nu;
          vector[T] err;
          mu ~ normal(0, 10);
          sigma ~ cauchy(0, 5);
          nu[1] = mu + phi * mu;
          err[1] = y[1] - nu[1];
          for (t in 2:T) {
            nu[t] = mu + phi * y[t - 1] + theta * err[t - 1];
            err[t] = y[t] - nu[t];
          }
          err ~ normal(0, sigma);
        }
        """,
        {"T": 10, "y": _SERIES},
    ),
    "heteroscedastic": Case(
        """
        data { int T; array[T] real r; }
        parameters { real mu; real<lower=0> a0; real<lower=0, upper=1> a1; real<lower=0, upper=(1 - a1)> b1; }
        transformed parameters {
          array[T] real<lower=0> sigma;
          sigma[1] = 0.5;
          for (t in 2:T) sigma[t] = sqrt(a0 + a1 * square(r[t - 1] - mu) + b1 * square(sigma[t - 1]));
        }
        model { r ~ normal(mu, sigma); }
        """,
        {"T": 10, "r": _SERIES},
    ),
    "several lags": Case(
        """
        data { int T; int K; vector[T] y; }
        parameters { real a; vector[K] b; vector[T] e; }
        model {
          vector[T] x = e;
          for (t in (K + 1):T) {
            real m = a;
            for (k in 1:K) m += b[k] * x[t - k] * y[t - k];
            x[t] = tanh(m) + e[t];
          }
          target += -dot_self(x - y) + x[T] * x[K];
        }
        """,
        {"T": 10, "K": 3, "y": _SERIES},
    ),
    "backwards": Case(
        """
        data { int T; vector[T] y; }
        parameters { vector[T] e; real phi; }
        model {
          vector[T] x;
          x[T] = e[T];
          for (s in 1:(T - 1)) x[T - s] = phi * x[T - s + 1] + e[T - s];
          x ~ normal(y, 1);
        }
        """,
        {"T": 10, "y": _SERIES},
    ),
    "matrix by rows": Case(
        """
        data { int T; int J; matrix[T, J] y; }
        parameters { matrix[T, J] e; row_vector<lower=0>[J] s; real phi; }
        transformed parameters {
          matrix[T, J] x;
          x[1] = e[1];
          for (t in 2:T) x[t] = phi * x[t - 1] + s .* e[t];
        }
        model { to_vector(y) ~ normal(to_vector(x), 1); }
        """,
        {"T": 5, "J": 3, "y": _TABLE},
    ),
    "matrix by columns": Case(
        """
        data { int T; int J; matrix[T, J] y; }
        parameters { matrix[J, T] e; matrix[J, J] A; }
        model {
          matrix[J, T] x = e;
          for (t in 2:T) x[, t] = A * x[, t - 1] + e[, t];
          for (t in 1:T) y[t] ~ normal(x[, t]', 1);
        }
        """,
        {"T": 5, "J": 3, "y": _TABLE},
    ),
    "many series": Case(
        """
        data { int T; int J; matrix[T, J] y; }
        parameters { matrix[T, J] e; vector<lower=0>[J] s; real phi; }
        model {
          matrix[T, J] x;
          for (j in 1:J) {
            x[1, j] = e[1, j];
            for (t in 2:T) x[t, j] = phi * x[t - 1, j] + s[j] * e[t, j];
          }
          for (t in 1:T) for (j in 1:J) y[t, j] ~ normal(x[t, j], 1);
        }
        """,
        {"T": 5, "J": 3, "y": _TABLE},
    ),
    "series through a scratch vector": Case(
        """
        data { int T; int J; matrix[T, J] y; }
        parameters { matrix[T, J] e; real phi; }
        model {
          matrix[T, J] x;
          vector[T] scratch;
          for (j in 1:J) {
            scratch[1] = e[1, j];
            for (t in 2:T) scratch[t] = phi * scratch[t - 1] + e[t, j];
            x[, j] = scratch;
          }
          to_vector(y) ~ normal(to_vector(x), 1);
          target += scratch[T] * scratch[1];
        }
        """,
        {"T": 5, "J": 3, "y": _TABLE},
    ),
    "series of different lengths": Case(
        """
        data { int T; int J; array[J] int len; matrix[T, J] y; }
        parameters { matrix[T, J] e; real phi; }
        model {
          matrix[T, J] x = rep_matrix(0.1, T, J);
          for (j in 1:J) for (t in 2:len[j]) x[t, j] = phi * x[t - 1, j] + e[t, j];
          to_vector(y) ~ normal(to_vector(x), 1);
        }
        """,
        {"T": 5, "J": 3, "len": [5, 1, 3], "y": _TABLE},
    ),
    "hidden states": Case(
        """
        data { int T; int K; array[T] real y; }
        parameters { array[K] simplex[K] theta; ordered[K] mu; }
        model {
          array[K] real acc;
          array[T, K] real gamma;
          for (k in 1:K) gamma[1, k] = normal_lpdf(y[1] | mu[k], 1);
          for (t in 2:T) {
            for (k in 1:K) {
              for (j in 1:K) acc[j] = gamma[t - 1, j] + log(theta[j, k]) + normal_lpdf(y[t] | mu[k], 1);
              gamma[t, k] = log_sum_exp(acc);
            }
          }
          target += log_sum_exp(gamma[T]);
        }
        """,
        {"T": 10, "K": 3, "y": _SERIES},
    ),
    "outcomes of the past": Case(
        """
        data { int J; int T; array[J, T] int<lower=0, upper=1> y; }
        parameters { vector[3] beta; }
        transformed parameters {
          matrix[J, T] avoided;
          matrix[J, T] shocked;
          matrix[J, T] p;
          for (j in 1:J) {
            avoided[j, 1] = 0;
            shocked[j, 1] = 0;
            for (t in 2:T) {
              avoided[j, t] = avoided[j, t - 1] + 1 - y[j, t - 1];
              shocked[j, t] = shocked[j, t - 1] + y[j, t - 1];
            }
            for (t in 1:T) p[j, t] = beta[1] + beta[2] * avoided[j, t] + beta[3] * shocked[j, t];
          }
        }
        model { for (j in 1:J) for (t in 1:T) y[j, t] ~ bernoulli_logit(p[j, t]); }
        """,
        {"J": 3, "T": 5, "y": _OUTCOMES},
    ),
    "outcomes and parameters of the past": Case(
        """
        data { int J; int T; array[J, T] int<lower=0, upper=1> y; }
        parameters { real<lower=0, upper=1> a; real<lower=0, upper=1> b; }
        model {
          matrix[J, T] before;
          matrix[J, T] p;
          for (j in 1:J) {
            p[j, 1] = 0;
            before[j, 1] = 0;
            for (t in 2:T) {
              before[j, t] = before[j, t - 1] + y[j, t - 1];
              p[j, t] = a * before[j, t] + b * p[j, t - 1];
            }
            for (t in 2:T) y[j, t] ~ bernoulli_logit(p[j, t]);
          }
        }
        """,
        {"J": 3, "T": 5, "y": _OUTCOMES},
    ),
    "all of the past": Case(
        """
        data { int N; array[N] real s; }
        parameters { vector[N] eps; real k; }
        transformed parameters {
          vector[N] p;
          p[1] = exp(k);
          for (i in 2:N) {
            real c = 0;
            for (j in 1:(i - 1)) c += p[j] * s[i - j];
            p[i] = c * exp(0.1 * eps[i]);
          }
        }
        model { target += sum(log(p)); eps ~ normal(0, 1); }
        """,
        {"N": 10, "s": [0.5, 0.3, 0.7, 0.2, 0.4, 0.6, 0.1, 0.9, 0.8, 0.35]},
    ),
    "scan in a scan": Case(
        """
        data { int T; int S; }
        parameters { matrix[T, S] e; real phi; }
        model {
          real level = 0;
          matrix[T, S] x;
          for (t in 1:T) {
            real inner = level;
            for (s in 1:S) { inner = tanh(phi * inner + e[t, s]); x[t, s] = inner; }
            level = 0.5 * level + inner;
          }
          target += level - sum(square(x));
        }
        """,
        {"T": 4, "S": 5},
    ),
    "grid": Case(
        """
        data { int T; int S; }
        parameters { matrix[T, S] e; real phi; }
        model {
          matrix[T, S] x = e;
          for (t in 2:T) for (s in 2:S) x[t, s] += phi * x[t - 1, s] * x[t, s - 1] - x[t - 1, s - 1];
          target += -sum(square(x)) + x[T, S];
        }
        """,
        {"T": 4, "S": 5},
    ),
    "states of any type": Case(
        """
        data { int T; }
        parameters { vector[2] a; matrix[2, 2] A; array[T] real e; }
        model {
          vector[2] v = a;
          matrix[2, 2] M = A;
          int k = 0;
          tuple(real, vector[2]) t = (1, a);
          for (i in 1:T) {
            k += 2;
            v = tanh(M * v) + e[i] * k;
            M[1] = v';
            t.1 *= v[2];
            t.2[1] += t.1;
            v[2] = t.2[1] - a[1];
          }
          target += sum(v) + sum(M) + k * t.1 + t.2[1];
        }
        """,
        {"T": 5},
        equivalent="""
        data { int T; }
        parameters { vector[2] a; matrix[2, 2] A; array[T] real e; }
        model {
          vector[2] v = a;
          matrix[2, 2] M = A;
          real t1 = 1;
          vector[2] t2 = a;
          for (i in 1:T) {
            v = tanh(M * v) + e[i] * 2 * i;
            M[1] = v';
            t1 *= v[2];
            t2[1] += t1;
            v[2] = t2[1] - a[1];
          }
          target += sum(v) + sum(M) + 2 * T * t1 + t2[1];
        }
        """,
    ),
}
