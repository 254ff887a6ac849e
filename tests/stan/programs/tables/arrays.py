"""Loops and statements that write to arrays in unusual ways."""

from tests.stan.running import Case


_Y = [0.3, -1.2, 0.8, 2.1, -0.4]

ARRAYS = {
    "scratch array": Case(
        """
        data { int N; int K; array[N] real y; }
        parameters { vector[K] mu; vector[K] weight; }
        model {
          array[K] real ps;
          real total = 0;
          for (n in 1:N) {
            for (k in 1:K) ps[k] = weight[k] + normal_lpdf(y[n] | mu[k], 1);
            target += log_sum_exp(ps);
            total += ps[1];
          }
          target += total * 0.1 + ps[2];
        }
        """,
        {"N": 5, "K": 2, "y": _Y},
    ),
    "scratch array of an inner loop": Case(
        """
        data { int N; int K; array[N] real y; }
        parameters { vector[K] mu; }
        model {
          vector[K] acc;
          real last = 0;
          matrix[N, K] m;
          for (n in 1:N) {
            for (k in 1:K) {
              for (j in 1:K) acc[j] = mu[j] * y[n] + mu[k];
              m[n, k] = log_sum_exp(acc);
              last = m[n, k] * acc[1];
            }
          }
          target += sum(m) + last + acc[K];
        }
        """,
        {"N": 5, "K": 3, "y": _Y},
    ),
    "last value is read afterwards": Case(
        """
        data { int N; vector[N] y; array[N] int at; }
        parameters { vector[N] a; }
        model {
          real s;
          vector[2] v;
          vector[N] x = a;
          for (n in 1:N) { s = a[n] * y[n]; v[1] = s; v[2] = s ^ 2; target += sum(v); x[at[n]] = v[2] * n; }
          target += s * v[1] + v[2] + dot_self(x);
        }
        """,
        {"N": 5, "y": _Y, "at": [2, 5, 2, 1, 5]},
    ),
    "partly assigned": Case(
        """
        data { int N; vector[N] y; }
        parameters { vector[N] a; }
        model {
          vector[N] x = a .* y;
          real s = a[1];
          for (n in 1:N) { if (y[n] > 0) { x[n] = exp(a[n]); s = a[n]; } target += x[n] * s; }
          for (n in 1:N) if (a[n] > 0) { x[n] = 0.5; s += a[n]; }
          target += dot_self(x) * s;
        }
        """,
        {"N": 5, "y": _Y},
    ),
    "slices as targets": Case(
        """
        data { int N; array[3] int at; }
        parameters { vector[N] a; matrix[3, 4] M; }
        model {
          vector[N] x = rep_vector(1, N);
          matrix[3, 4] K = M;
          array[2, 3] real r = {{1, 2, 3}, {4, 5, 6}};
          x[2:4] = a[1:3];
          x[at] = a[3:5];
          x[4:] += 1;
          x[:1] = a[2:2];
          K[1] = a[1:4]';
          K[, 2] = a[3:5];
          K[2:3, {4, 1}] = M[1:2, 1:2];
          K[{3, 1}, 3] = a[1:2];
          K[2, 2:3] *= 2;
          r[1, 2:3] = {a[1], a[2]};
          r[, 1] = {a[1], 7};
          target += dot_self(x) + sum(K .* K) + r[1, 1] * r[1, 3] + r[2, 1] * sum(r[2]);
        }
        """,
        {"N": 5, "at": [5, 1, 3]},
    ),
    "slices as targets in a loop": Case(
        """
        data { int N; array[N, 2] int at; }
        parameters { vector[N] a; matrix[N, 3] M; }
        model {
          matrix[N, 3] K;
          vector[2 * N] x = rep_vector(0, 2 * N);
          array[N] vector[2] v;
          for (n in 1:N) {
            K[n] = M[n] * a[n];
            K[n, 2:3] += 1;
            x[(2 * n - 1):(2 * n)] = a[at[n]];
            v[n] = x[(2 * n - 1):(2 * n)] * n;
            x[at[n]] += 0.5 * a[n];
          }
          for (j in 1:3) K[, j] = K[, j] .* a;
          target += sum(K .* K) + dot_self(x);
          for (n in 1:N) target += v[n, 1] * v[n][2];
        }
        """,
        {"N": 5, "at": [[1, 2], [5, 3], [2, 4], [4, 1], [3, 5]]},
    ),
    "several indices": Case(
        """
        data { int N; array[3] int at; array[2, 3] int table; matrix[N, N] D; }
        parameters { vector[N] a; matrix[N, N] M; array[2] matrix[2, 3] B; }
        model {
          target += sum(a[at]) + sum(M[at, 2]) + sum(M[at, at] .* D[1:3, 2:4]);
          target += sum(a[table[2]] .* a[{1, 2, 1}]) + sum(M[at][2]) * sum(M[:, at][2]);
          target += B[1, 2, 3] * B[2][1][2] + sum(B[, 1, 2]) + sum(B[2, :, {1, 3}] * [1, 2]');
          target += sum(a[3:2]) + sum(B[1:1, 2, 2:]  [1]) + dot_product(a[at[table[1, 1:2]]], [1, 2]');
          for (n in 1:3) target += a[at[n]] * M[at[n], table[1, n]] + sum(a[at[1:n]]);
        }
        """,
        {
            "N": 4,
            "at": [3, 1, 4],
            "table": [[1, 2, 3], [2, 2, 4]],
            "D": [[1, 2, 3, 4], [0, 1, 5, 2], [2, 2, 1, 1], [3, 1, 0, 1]],
        },
    ),
    "duplicate indices": Case(
        """
        data { int N; array[N] int at; }
        parameters { vector[N] a; }
        model {
          vector[N] x = a;
          vector[3] z = rep_vector(0, 3);
          for (n in 1:N) x[at[n]] = a[n];
          for (n in 1:N) { z[at[n]] = z[at[n]] + a[n]; }
          for (n in 1:N) { z[at[n]] += a[n] * n; target += z[at[n]]; }
          x[at] = x[at] * 2;
          target += dot_self(x) + z[2] * z[1];
        }
        """,
        {"N": 5, "at": [2, 1, 2, 3, 2]},
    ),
    "exchange in place": Case(
        """
        data { int N; }
        parameters { vector[N] a; }
        model {
          vector[N] x = a;
          matrix[2, 2] M = [[a[1], a[2]], [a[3], a[4]]];
          x = x[{5, 1, 2, 3, 4}];
          x[1:3] = x[3:5];
          for (n in 1:2) { real swap = x[n]; x[n] = x[N - n]; x[N - n] = swap; }
          for (n in 1:(N - 1)) x[n] = x[n + 1];
          M = M';
          M[1] = M[2];
          target += dot_product(x, [1, 2, 3, 4, 5]') + M[1, 1] * 2 + M[2, 2] * a[5];
        }
        """,
        {"N": 5},
    ),
    "what is not initialised is not used": Case(
        """
        data { int N; }
        parameters { vector[N] a; }
        model {
          vector[N] x;
          array[N, N] real z;
          real s;
          for (n in 2:N) x[n] = a[n] + n;
          for (n in 1:N) for (m in n:N) z[n, m] = a[n] * a[m];
          if (a[1] > 0) s = log(a[1]); else s = a[1];
          target += s + sum(x[2:]) + sum(z[1]) + z[2, N];
        }
        """,
        {"N": 4},
    ),
    "counters": Case(
        """
        data { int N; array[N] int g; vector[N] y; }
        transformed data {
          array[3] int count = rep_array(0, 3);
          array[N] int rank;
          int first = 0;
          for (n in 1:N) { count[g[n]] += 1; rank[n] = count[g[n]]; if (first == 0 && y[n] > 0.5) first = n; }
        }
        parameters { matrix[3, N] a; vector[N] b; }
        model {
          int pos = 1;
          array[3] int seen = rep_array(0, 3);
          for (n in 1:N) {
            target += a[g[n], rank[n]] * y[n];
            if (y[n] > 0) { target += b[pos] ^ 2; pos += 1; }
            seen[g[n]] += 1;
            target += a[g[n], seen[g[n]]] * b[n];
          }
          target += b[first] * pos;
        }
        """,
        {"N": 5, "g": [1, 3, 1, 1, 3], "y": _Y},
    ),
    "counters of inner loops": Case(
        """
        data { int N; array[N] int len; }
        parameters { vector[N] a; }
        model {
          vector[N] x = a;
          vector[N] y = rep_vector(0.5, N);
          int k = 1;
          for (i in 1:N) {
            for (j in 1:i) { k += 1; x[i] = sin(a[1 + k % N]) * x[i] + a[j]; }
            x[i:N] = x[i:N] * a[1 + k % N];
          }
          for (i in 1:N) {
            k += 1;
            for (j in 1:len[i]) { k += 1; x[i] = sin(x[1]) * k; y[1] = 0.3; y[2] = y[2] + k; }
          }
          target += dot_self(x) + k * a[1] + dot_product(y, a);
        }
        """,
        {"N": 5, "len": [3, 0, 5, 1, 2]},
    ),
    "rotating copies": Case(
        """
        data { int N; }
        parameters { vector[N] a; matrix[N, 2] B; }
        model {
          vector[N] x = a;
          vector[N] kept = x;
          matrix[N, 2] before;
          x[1] = 3;
          before = B;
          for (n in 1:N) { vector[N] mine = x; mine[n] = a[n] ^ 2; x[n] = mine[n] * kept[n]; before[n, 1] = sum(mine); }
          target += dot_product(x, kept) + sum(before .* B);
        }
        """,
        {"N": 4},
    ),
}
