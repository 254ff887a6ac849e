"""Series of many individuals, one behind another."""

from tests.stan.running import Case


_Y = [0.3, -1.2, 0.8, 2.1, -0.4, 1.0, 0.2, -0.7, 1.4, 0.1, -0.9, 0.6]
_EQUAL = {"K": 3, "N": 12, "n": [4, 4, 4], "y": _Y}
_UNEQUAL = {"K": 5, "N": 12, "n": [4, 1, 2, 4, 1], "y": _Y}

_RUNNING = """
data { int K; int N; array[K] int n; vector[N] y; }
parameters { real phi; vector[N] e; }
model {
  vector[N] x;
  int pos = 1;
  for (k in 1:K) {
    x[pos] = e[pos];
    for (t in (pos + 1):(pos + n[k] - 1)) x[t] = sin(phi * x[t - 1]) + e[t] * y[t - 1];
    pos += n[k];
  }
  target += -dot_self(x - y) + x[3];
}
"""
_STATES_INSIDE = """
data { int K; int N; array[K] int n; vector[N] y; }
parameters { array[2] simplex[2] theta; ordered[2] mu; }
model {
  int pos = 1;
  for (k in 1:K) {
    array[2] real acc;
    array[n[k], 2] real gamma;
    for (j in 1:2) gamma[1, j] = normal_lpdf(y[pos] | mu[j], 1);
    for (t in 2:n[k]) {
      for (i in 1:2) {
        for (j in 1:2) acc[j] = gamma[t - 1, j] + log(theta[j, i]) + normal_lpdf(y[pos + t - 1] | mu[i], 1);
        gamma[t, i] = log_sum_exp(acc);
      }
    }
    target += log_sum_exp(gamma[n[k]]);
    pos += n[k];
  }
}
"""
_STATES_AROUND = """
data { int K; int N; array[K] int n; vector[N] y; }
parameters { array[2] simplex[2] theta; ordered[2] mu; }
model {
  int pos = 1;
  array[2] real acc;
  array[max(n), 2] real gamma;
  for (k in 1:K) {
    for (j in 1:2) gamma[1, j] = normal_lpdf(y[pos] | mu[j], 1);
    for (t in 2:n[k]) {
      for (i in 1:2) {
        for (j in 1:2) acc[j] = gamma[t - 1, j] + log(theta[j, i]) + normal_lpdf(y[pos + t - 1] | mu[i], 1);
        gamma[t, i] = log_sum_exp(acc);
      }
    }
    target += log_sum_exp(gamma[n[k]]);
    pos += n[k];
  }
  target += gamma[1, 2];
}
"""

_SIZES = [1 + 5 * k % 18 for k in range(18)]
_MANY_SIZES = {"K": 18, "N": sum(_SIZES), "n": _SIZES, "y": [_Y[i % 12] for i in range(sum(_SIZES))]}

# too many iterations to be unrolled for comparison
LARGE_PANELS = {
    "individuals of many lengths with hidden states": Case(_STATES_INSIDE, _MANY_SIZES),
    "individuals of many lengths whose arrays are used as a whole": Case(
        """
        data { int K; int N; array[K] int n; vector[N] y; }
        parameters { real phi; vector[N] e; }
        model {
          int pos = 1;
          for (k in 1:K) {
            vector[n[k]] x;
            x[1] = e[pos];
            for (t in 2:n[k]) x[t] = sin(phi * x[t - 1]) + e[pos + t - 1];
            target += -dot_self(x) + log_sum_exp(x);
            pos += n[k];
          }
        }
        """,
        _MANY_SIZES,
    ),
}

PANELS = {
    "series at a running position": Case(_RUNNING, _UNEQUAL),
    "series of one length at a running position": Case(_RUNNING, _EQUAL),
    "series between first and last": Case(
        """
        data { int K; int N; array[K] int first; array[K] int last; vector[N] y; }
        parameters { real phi; matrix[N, 2] e; }
        model {
          matrix[N, 2] x = e;
          for (k in 1:K) {
            for (t in (first[k] + 1):last[k]) x[t] = phi * x[t - 1, {2, 1}] + e[first[k]] * y[t];
          }
          target += -dot_self(to_vector(x));
        }
        """,
        {"K": 4, "N": 12, "first": [1, 5, 6, 11], "last": [4, 5, 10, 10], "y": _Y},
    ),
    "series that read one another": Case(
        """
        data { int K; int N; array[K] int first; array[K] int last; vector[N] y; }
        parameters { real phi; vector[N] e; }
        model {
          vector[N] x = e;
          for (k in 1:K) for (t in first[k]:last[k]) x[t] = phi * x[t - 1] + e[t] * x[1];
          target += -dot_self(x - y);
        }
        """,
        {"K": 3, "N": 12, "first": [2, 5, 9], "last": [4, 8, 12], "y": _Y},
    ),
    "stretches of different lengths": Case(
        """
        data { int K; int N; array[K] int first; array[K] int last; vector[N] y; }
        parameters { real phi; vector[K] e; }
        model {
          vector[N] x;
          for (k in 1:K) {
            real s = e[k];
            for (t in first[k]:last[k]) { s = sin(phi * s + y[t]); x[t] = s; }
          }
          target += -dot_self(x - y);
        }
        """,
        {"K": 3, "N": 12, "first": [1, 4, 5], "last": [3, 4, 12], "y": _Y},
    ),
    "scratch read before it is assigned": Case(
        """
        data { int K; int N; vector[N] y; }
        parameters { real phi; vector[K] e; }
        model {
          vector[N] x = y;
          for (k in 1:K) {
            x[1] = e[k];
            for (t in 2:N) { target += x[t] * e[k]; x[t] = sin(phi * x[t - 1] + y[t]); }
          }
        }
        """,
        {"K": 3, "N": 6, "y": _Y[:6]},
    ),
    "scratch read after it is assigned": Case(
        """
        data { int K; int N; vector[N] y; }
        parameters { real phi; vector[K] e; }
        model {
          vector[N] x = y;
          for (k in 1:K) {
            x[1] = e[k];
            for (t in 2:N) { x[t] = sin(phi * x[t - 1] + y[t]); target += x[t] * e[k]; }
          }
        }
        """,
        {"K": 3, "N": 6, "y": _Y[:6]},
    ),
    "individuals with hidden states": Case(_STATES_INSIDE, _UNEQUAL),
    "individuals of one length with hidden states": Case(_STATES_INSIDE, _EQUAL),
    "individuals with hidden states in arrays around": Case(_STATES_AROUND, _UNEQUAL),
    "individuals of one length with hidden states in arrays around": Case(_STATES_AROUND, _EQUAL),
    "series in parts": Case(
        """
        data { int K; int N; vector[N] y; }
        parameters { real phi; vector[N] e; }
        model {
          vector[N] x = e;
          for (k in 2:K) x[((k - 1) * 3 + 1):(k * 3)] = sin(phi * x[((k - 2) * 3 + 1):((k - 1) * 3)]) + e[k];
          target += -dot_self(x - y);
        }
        """,
        {"K": 4, "N": 12, "y": _Y},
    ),
    "series in overlapping parts": Case(
        """
        data { int K; int N; vector[N] y; }
        parameters { real phi; vector[N] e; }
        model {
          vector[N] x = e;
          for (k in 1:K) { x[(2 * k):(2 * k + 3)] += phi * x[(2 * k - 1):(2 * k + 2)]; x[2 * k + 1] *= e[k]; }
          target += -dot_self(x - y);
        }
        """,
        {"K": 4, "N": 12, "y": _Y},
    ),
    "backwards through a local index": Case(
        """
        data { int N; matrix[2, N] y; array[N] int g; }
        parameters { vector[2] phi; matrix[2, N] e; }
        model {
          matrix[2, N] x;
          x[, N] = e[, N];
          for (s in 1:(N - 1)) {
            int t = N - s;
            real a = g[t] > 1 ? phi[2] : 0.5;
            x[, t] = phi .* x[, t + 1] * a + e[, N - s] .* y[, t];
          }
          target += -dot_self(to_vector(x - y));
        }
        """,
        {"N": 6, "y": [_Y[:6], _Y[6:]], "g": [1, 2, 1, 2, 2, 1]},
    ),
}
