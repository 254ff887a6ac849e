"""Leaving iterations, loops and functions; `while`; rejection."""

from tests.stan.running import Case


_Y = [0.3, -1.2, 0.8, 2.1, -0.4, 1.0]

FLOW = {
    "continue": Case(
        """
        data { int N; array[N] int g; }
        parameters { vector[N] x; real a; }
        model {
          real s = 0;
          int c = 0;
          for (n in 1:N) {
            if (g[n] == 2) continue;
            c += 1;
            if (x[n] > 0) s += sqrt(x[n]) * c;
            else if (x[n] > -0.5) s -= x[n];
            target += g[n] == 1 ? log1p_exp(a) : a * c;
          }
          for (n in 1:N) { if (x[n] < 0) continue; target += log(x[n]); if (g[n] == 3) continue; s += x[n]; }
          target += s * c;
        }
        """,
        {"N": 6, "g": [1, 2, 3, 1, 2, 1]},
    ),
    "break": Case(
        """
        data { int N; vector[N] y; }
        parameters { vector[N] x; }
        model {
          real s = 0;
          for (n in 1:N) { if (n > 3) break; target += x[n]; }
          for (n in 1:N) { s += x[n] ^ 2; if (y[n] > 1) break; s *= 2; }
          for (n in 1:N) for (m in 1:N) { if (m > n) break; target += x[n] * x[m]; }
          for (n in 1:N) { if (s > 0.5 && n > 2) break; s += exp(x[n]); }
          target += s;
        }
        """,
        {"N": 6, "y": _Y},
    ),
    "break on a parameter in a function": Case(
        """
        functions {
          real f(vector x, real limit) {
            real s = 0;
            for (n in 1:num_elements(x)) {
              if (s > limit) break;
              s += exp(x[n]);
            }
            return s;
          }
        }
        data { int N; }
        parameters { vector[N] x; }
        model { for (k in 1:3) target += f(x, k) * x[k]; target += f(x, 0.1); }
        """,
        {"N": 6},
        equivalent="""
        functions {
          real f(vector x, real limit) {
            real s = 0;
            for (n in 1:num_elements(x)) if (s <= limit) s += exp(x[n]);
            return s;
          }
        }
        data { int N; }
        parameters { vector[N] x; }
        model { for (k in 1:3) target += f(x, k) * x[k]; target += f(x, 0.1); }
        """,
    ),
    "return from loops": Case(
        """
        functions {
          int where(array[] int g, int k) {
            for (n in 1:size(g)) if (g[n] == k) return n;
            return 1;
          }
          real first_positive(vector x) {
            for (n in 1:num_elements(x)) {
              real z = x[n] * n;
              if (x[n] > 0) return log(z);
            }
            return -1;
          }
          real pair(vector x, real bound) {
            for (i in 1:num_elements(x)) {
              for (j in 1:i) if (x[i] + x[j] > bound) return x[i] * x[j] * i + j;
            }
            return 0.1;
          }
        }
        data { int N; array[N] int g; }
        parameters { vector[N] x; }
        model {
          for (k in 1:4) target += x[where(g, k)] ^ 2;
          target += first_positive(x) + first_positive(-x) + pair(x, 0.5) + pair(x, 10);
          for (k in 1:3) target += first_positive(x[k:(k + 2)]);
        }
        """,
        {"N": 6, "g": [3, 1, 2, 3, 1, 2]},
        equivalent="""
        functions {
          real first_positive(vector x) {
            real found = -1;
            int searching = 1;
            for (n in 1:num_elements(x)) if (searching && x[n] > 0) { found = log(x[n] * n); searching = 0; }
            return found;
          }
          real pair(vector x, real bound) {
            real found = 0.1;
            int searching = 1;
            for (i in 1:num_elements(x)) for (j in 1:i)
              if (searching && x[i] + x[j] > bound) { found = x[i] * x[j] * i + j; searching = 0; }
            return found;
          }
        }
        data { int N; array[N] int g; }
        parameters { vector[N] x; }
        model {
          target += x[2] ^ 2 + x[3] ^ 2 + 2 * x[1] ^ 2;
          target += first_positive(x) + first_positive(-x) + pair(x, 0.5) + pair(x, 10);
          for (k in 1:3) target += first_positive(x[k:(k + 2)]);
        }
        """,
    ),
    "assigned at an index that parameters give": Case(
        """
        data { int N; }
        parameters { vector[N] x; }
        model {
          array[2] real s = {0.3, 0.7};
          for (n in 1:N) {
            int k = x[n] > 0 ? 1 : 2;
            s[k] = sin(x[n]);
            target += s[1] * n + s[2];
          }
        }
        """,
        {"N": 6},
    ),
    "recurrence that data end": Case(
        """
        data { int N; vector[N] y; }
        parameters { real phi; vector[N] e; }
        model {
          vector[N] x = e;
          real s = 0;
          for (t in 2:N) {
            x[t] = phi * x[t - 1] + e[t];
            if (y[t] > 2) break;
            if (y[t] < -0.5) continue;
            x[t] += y[t] * phi;
          }
          for (t in 1:N) { s += y[t]; if (s > 1.5) break; x[t] *= e[t] * s; }
          target += -dot_self(x) + s * phi;
        }
        """,
        {"N": 6, "y": _Y},
    ),
    "recurrence of which data tell what is returned": Case(
        """
        functions {
          real f(vector y, vector e, real phi) {
            real x = 0.1;
            for (t in 1:size(y)) { x = phi * x + e[t]; if (y[t] > 1.5) return x * t; x *= 2; }
            return -x;
          }
        }
        data { int N; vector[N] y; }
        parameters { real phi; vector[N] e; }
        model { target += f(y, e, phi) ^ 2; for (k in 1:5) target += f(y[k:N], e[k:N], phi * k) * e[k]; }
        """,
        {"N": 6, "y": _Y},
    ),
    "while with a recurrence": Case(
        """
        data { int N; vector[N] y; array[N] int step; }
        parameters { real phi; vector[N] e; }
        model {
          vector[N] x = e;
          int t = 2;
          int s = 1;
          while (t <= N) { x[t] = phi * x[t - 1] + e[t]; t += 1; }
          t = 1;
          while (1) { t += step[t]; if (t > N) break; x[t] = sin(x[t]) * y[t] + x[1]; }
          while (s < N) { target += e[s] * phi; s += 1; }
          target += -dot_self(x) + t * s * phi;
        }
        """,
        {"N": 6, "y": _Y, "step": [1, 2, 1, 1, 1, 1]},
    ),
    "place that data carry through a recurrence": Case(
        """
        data { int K; int N; array[K] int n; vector[N] y; }
        parameters { real phi; vector[N] e; }
        model {
          vector[N] x = e;
          real s = 0;
          int pos = 1;
          for (k in 1:K) {
            x[pos] = e[pos] + s;
            s = 0.5 * s + x[pos] * y[pos + n[k] - 1] * k;
            pos += n[k];
          }
          target += -dot_self(x) + s * pos;
        }
        """,
        {"K": 3, "N": 6, "n": [2, 1, 3], "y": _Y},
    ),
    "while": Case(
        """
        functions {
          int halvings(int n) {
            int m = n;
            int count = 0;
            while (m > 1) { m = m %/% 2; count += 1; if (count > 5) break; }
            return count;
          }
        }
        data { int N; array[N] int g; }
        transformed data {
          int top = 1;
          while (1) { top *= 2; if (top > N) break; }
        }
        parameters { vector[N] x; }
        model {
          int c = top;
          real w = x[1];
          while (c > 2) { w *= 1.1 + x[2]; c -= 1; if (c % 2 == 0) continue; w += x[3]; }
          target += w;
          for (n in 1:N) target += x[n] * halvings(g[n]);
          for (n in 1:N) { int k = g[n]; real z = 1; while (k > 0) { z *= x[n]; k -= 2; } target += z; }
        }
        """,
        {"N": 6, "g": [1, 7, 4, 3, 9, 2]},
    ),
    "reject where it does not hold": Case(
        """
        functions {
          real checked(real x) {
            if (x < -5) reject("x is ", x);
            return x;
          }
        }
        data { int N; }
        parameters { vector[N] x; }
        model {
          if (N < 0) reject("never");
          for (n in 1:N) { if (x[n] > 3) reject("too large: ", x[n]); target += checked(x[n]); }
          if (x[1] > 100) fatal_error("impossible");
          print("x = ", x);
        }
        """,
        {"N": 4},
        equivalent="data { int N; } parameters { vector[N] x; } model { target += sum(x); }",
    ),
    "target is read": Case(
        """
        data { int N; vector[N] y; }
        parameters { real mu; }
        model {
          real before = target();
          mu ~ normal(0, 2);
          for (n in 1:N) { y[n] ~ normal(mu, 1); target += 0.1 * target() * n; }
          target += before * 2 + square(target()) * 0.01;
        }
        """,
        {"N": 6, "y": _Y},
    ),
    "profile and blocks": Case(
        """
        data { int N; vector[N] y; }
        parameters { real mu; vector[N] x; }
        model {
          profile("prior") { mu ~ normal(0, 1); }
          {
            real mu2 = mu ^ 2;
            { real mu3 = mu2 * mu; target += mu3; }
            profile("likelihood") { for (n in 1:N) { profile("inside") { target += mu2 * y[n] * x[n]; } } }
          }
        }
        """,
        {"N": 6, "y": _Y},
    ),
    "conditions inside of a recurrence": Case(
        """
        data { int N; vector[N] y; array[N] int g; }
        parameters { vector[N] x; real a; }
        model {
          real s = a;
          vector[N] z;
          for (n in 1:N) {
            if (g[n] > 1) s = tanh(s) + x[n];
            if (s > 0.3) { s -= sqrt(s); z[n] = s; }
            else if (y[n] > 0) z[n] = log1m(s);
            else { z[n] = 1; continue; }
            s += g[n] > n ? x[n] : a * s;
            for (m in 1:g[n]) { if (m > n) continue; s += 0.1 * x[m] * z[n]; }
          }
          target += s + sum(z);
        }
        """,
        {"N": 6, "y": _Y, "g": [1, 2, 3, 1, 2, 1]},
    ),
}
