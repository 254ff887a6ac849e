"""Vectors whose sizes differ from one iteration to the next."""

from tests.stan.running import Case


_Y = [0.3, -1.2, 0.8, 2.1, -0.4, 1.0, 0.2, -0.7, 1.4, 0.1]
_MANY = 20

RAGGED = {
    "segments at a running position": Case(
        """
        data { int N; int K; array[K] int s; vector[N] y; }
        parameters { vector[K] mu; real<lower=0> sigma; }
        model {
          int pos = 1;
          for (k in 1:K) {
            segment(y, pos, s[k]) ~ normal(mu[k], sigma);
            pos = pos + s[k];
          }
        }
        """,
        {"N": 10, "K": 4, "s": [2, 3, 1, 4], "y": _Y},
    ),
    "few sizes": Case(
        """
        data { int N; int M; array[N] int st; array[N] int len; vector[M] y; vector[M] x; }
        parameters { real a; vector[N] b; vector[M] z; }
        model {
          for (n in 1:N) {
            vector[len[n]] mu = a + b[n] * segment(x, st[n], len[n]);
            y[st[n]:(st[n] + len[n] - 1)] ~ normal(mu, 1);
            for (j in 1:len[n]) target += -square(z[st[n] + j - 1] - b[n]);
            target += log_sum_exp(segment(z, st[n], len[n])) + mean(mu) + mu[1];
          }
        }
        """,
        {"N": 4, "M": 10, "st": [1, 3, 4, 8], "len": [2, 1, 4, 3], "y": _Y, "x": _Y[::-1]},
    ),
    "many sizes": Case(
        """
        data { int N; int M; array[N] int st; array[N] int len; vector[M] y; }
        parameters { real a; vector[M] z; }
        model {
          for (n in 1:N) {
            segment(y, st[n], len[n]) ~ normal(a * segment(z, st[n], len[n]), 1);
            target += dot_product(segment(z, st[n], len[n]), segment(y, st[n], len[n]));
            target += log_sum_exp(segment(z, st[n], len[n])) + max(y[st[n]:(st[n] + len[n] - 1)]);
          }
        }
        """,
        {
            "N": _MANY,
            "M": _MANY * (_MANY + 1) // 2,
            "st": [1 + i * (i + 1) // 2 for i in range(_MANY)],
            "len": list(range(1, _MANY + 1)),
            "y": [((7 * i) % 11) / 5 - 1 for i in range(_MANY * (_MANY + 1) // 2)],
        },
    ),
    "many sizes of whole vectors": Case(
        """
        data { int N; array[N] int at; matrix[N, N] M; }
        parameters { vector[N] e; }
        model {
          vector[N] x = e;
          for (n in 2:N) target += sd(e[1:n]) + cumulative_sum(e[1:n])[n];
          for (n in 2:N) target += sum(M[1:n, 1:n] * e[at[1:n]]);
          for (n in 2:N) { vector[n] v = e[1:n] * 2; v[1] = 3; x[1:n] = v; target += sum(x) / n; }
        }
        """,
        {
            "N": _MANY,
            "at": [(7 * i) % _MANY + 1 for i in range(_MANY)],
            "M": [[0.1 * i + 0.3 * j - 0.01 * i * j for i in range(_MANY)] for j in range(_MANY)],
        },
    ),
    "heads in a recurrence": Case(
        """
        data { int T; vector[T] y; }
        parameters { vector[T] e; real a; }
        model {
          vector[T] x;
          x[1] = e[1];
          for (t in 2:T) x[t] = a * sum(x[1:(t - 1)]) / t + e[t] * dot_product(y[1:t], e[1:t]);
          target += -dot_self(x);
        }
        """,
        {"T": 10, "y": _Y},
    ),
    "empty segments": Case(
        """
        data { int K; array[K] int s; vector[6] y; }
        parameters { vector[K] mu; }
        model {
          int pos = 1;
          for (k in 1:K) {
            vector[s[k]] mine = y[pos:(pos + s[k] - 1)] * mu[k];
            target += sum(mine) - dot_self(mine);
            for (i in 1:s[k]) target += mine[i] * i;
            pos += s[k];
          }
        }
        """,
        {"K": 5, "s": [0, 2, 0, 3, 1], "y": _Y[:6]},
    ),
    "sizes of matrices": Case(
        """
        data { int K; array[K] int d; matrix[3, 3] S; }
        parameters { vector[3] x; real a; }
        model {
          for (k in 1:K) {
            matrix[d[k], d[k]] C = S[1:d[k], 1:d[k]] + diag_matrix(rep_vector(exp(a), d[k]));
            x[1:d[k]] ~ multi_normal(rep_vector(a, d[k]), C);
          }
        }
        """,
        {"K": 4, "d": [1, 3, 2, 3], "S": [[2, 0.3, 0.1], [0.3, 1, 0.2], [0.1, 0.2, 1.5]]},
    ),
}
