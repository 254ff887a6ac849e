"""Random well-typed programs over the library, and random errors in them.

`Generator(random).program()` draws from the grammar: declarations with constraints, user functions, loops, conditions
on data and on parameters, indexing, vectorised and scalar densities, generalised linear models and multivariate ones.
The data are the same for all programs. Arguments are kept where densities are finite: a scale is `exp(tanh(...))`.
"""

# ruff: noqa: E501

from __future__ import annotations

import re
from random import Random


DATA = {
    "N": 4,
    "K": 3,
    "g": [2, 1, 3, 2],
    "count": [3, 0, 7, 1],
    "trials": [5, 4, 9, 2],
    "flag": [1, 0, 0, 1],
    "ys": [0.6, -0.4, 1.1, 0.3],
    "y": [0.5, -1.2, 0.8, 2.1],
    "z": [0.2, 0.9, 1.4],
    "x": [[1.0, 0.3], [0.2, -0.7], [-1.1, 0.5], [0.4, 0.8]],
    "S": [[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.0]],
    "shares": [0.2, 0.5, 0.3],
}
DATA_BLOCK = """data {
  int N; int K; array[N] int g; array[N] int count; array[N] int trials; array[N] int flag; array[N] real ys;
  vector[N] y; vector[K] z; matrix[N, 2] x; cov_matrix[K] S; simplex[K] shares;
}
"""
# Kinds of expressions: v4 is a vector of four elements, r a row vector, m32 a matrix, a an array of reals
PARAMETERS = {
    "real": ["real", "real<lower=0>", "real<upper=2>", "real<lower=-1, upper=3>", "real<offset=0.5, multiplier=2>"],
    "v2": ["vector[2]", "vector<lower=0>[2]", "vector<lower=-1, upper=1>[2]"],
    "v3": [
        "vector[K]", "ordered[K]", "positive_ordered[K]", "simplex[K]", "unit_vector[K]", "sum_to_zero_vector[K]",
        "vector<lower=z>[K]", "vector<offset=z, multiplier=2>[K]",
    ],
    "v4": ["vector[N]", "vector<lower=0>[N]", "vector<upper=y + 5>[N]"],
    "r3": ["row_vector[K]", "row_vector<lower=-2>[K]"],
    "a4": ["array[N] real", "array[N] real<lower=0>"],
    "m42": ["matrix[N, 2]"],
    "m33": ["matrix[K, K]", "cholesky_factor_corr[K]", "cholesky_factor_cov[K]", "cov_matrix[K]", "corr_matrix[K]"],
    "av3": ["array[2] vector[K]", "array[2] simplex[K]", "array[2] ordered[K]"],
}  # fmt: skip
LOCALS = {
    "real": "real", "v2": "vector[2]", "v3": "vector[K]", "v4": "vector[N]", "r3": "row_vector[K]",
    "a4": "array[N] real", "m42": "matrix[N, 2]", "m33": "matrix[K, K]",
}  # fmt: skip
GIVEN = {
    "real": ["0.5", "-1.3", "2"], "v3": ["z", "shares"], "v4": ["y"], "a4": ["ys"], "m42": ["x"], "m33": ["S"],
    "v2": ["([0.4, -1.1]')"], "r3": ["(z')"], "av3": ["{z, shares}"],
}  # fmt: skip
SIZES = {"v2": "2", "v3": "K", "v4": "N", "r3": "K", "a4": "N"}
# Rules: what an expression of a kind can be made of, in angle brackets the kinds of its parts
RULES = {
    "real": [
        "<real> + <real>", "<real> - <real>", "<real> * <real>", "<real> / (1 + square(<real>))", "-<real>", "sin(<real>)",
        "inv_logit(<real>)", "tanh(<real>)", "log1p_exp(<real>)", "exp(tanh(<real>))", "sqrt(<pos>)", "log(<pos>)",
        "lgamma(<pos>)", "digamma(<pos>)", "Phi(<real>)", "erf(<real>)", "fmax(<real>, <real>)", "abs(<real>)", "cbrt(<pos>)",
        "log_sum_exp(<real>, <real>)", "log_mix(<prob>, <real>, <real>)", "lbeta(<pos>, <pos>)", "square(<real>)",
        "(<int> > 2 ? <real> : <real>)", "(<real> > 0.1234 ? <real> : <real>)", "atan2(<real>, <pos>)", "<pos> ^ <real>",
        "<v4>[<i4>]", "<v3>[<i3>]", "<a4>[<i4>]", "<m42>[<i4>, <i2>]", "<m33>[<i3>, <i3>]", "<av3>[<i2>, <i3>]", "<v2>[<i2>]",
        "sum(<v4>)", "sum(<a4>)", "mean(<v3>)", "sd(<v4>)", "variance(<a4>)", "dot_product(<v3>, <v3>)", "dot_self(<v4>)",
        "log_sum_exp(<v3>)", "<r3> * <v3>", "distance(<v3>, <v3>)", "norm2(<v4>)", "max(<v4>)", "quad_form_sym(S, <v3>)",
        "trace(<m33>)", "sum(<m42>)", "log_determinant(<spd>)", "prod(<v3>)", "twice(<real>)", "squared_distance(<v4>, <v4>)",
        "beta(<pos>, <pos>)", "inc_beta(<pos>, <pos>, <prob>)", "gamma_p(<pos>, <pos>)", "owens_t(<real>, <real>)",
        "log_diff_exp(<real> + 9 + square(<real>), -<pos>)", "lchoose(<pos> + 3, <pos>)", "count[<i4>] * <real>",
    ],
    "v2": ["<v2> + <v2>", "<real> * <v2>", "<v2> .* <v2>", "<m42>[<i4>]'", "<v3>[1:2]", "head(<v4>, 2)", "sin(<v2>)",
           "[<real>, <real>]'", "<m42>' * <v4>", "columns_dot_self(<m42>)'"],
    "v3": ["<v3> + <v3>", "<v3> - <real>", "<v3> .* <v3>", "<m33> * <v3>", "<r3>'", "<v4>[{1, 3, 2}]", "softmax(<v3>)",
           "cumulative_sum(<v3>)", "<m33>[, <i3>]", "col(<m33>, <i3>)", "exp(tanh(<v3>))", "rep_vector(<real>, K)",
           "append_row(<v2>, <real>)", "<av3>[<i2>]", "diagonal(<m33>)", "<spd> \\ <v3>", "sort_asc(<v3>)", "to_vector(<r3>)",
           "segment(<v4>, 2, 3)", "log_softmax(<v3>)", "(<int> > 1 ? <v3> : <v3>)", "reverse(<v3>)", "<v3> ./ (1 + square(<v3>))"],
    "v4": ["<v4> + <v4>", "<real> * <v4>", "<v3>[g]", "<m42> * <v2>", "<v4> ./ (1 + <v4> .* <v4>)", "inv_logit(<v4>)",
           "to_vector(<a4>)", "append_row(<v3>, <real>)", "<m42>[, <i2>]", "rep_vector(<real>, N)", "tanh(<v4>)",
           "to_vector(count) * <real>", "fmin(<v4>, <real>)", "rows_dot_product(<m42>, <m42>)", "centred(<v4>)",
           "append_row(<v2>, <v2>)", "-<v4>", "<v4>[{4, 1, 2, 2}]", "tail(append_row(<v4>, <v3>), 4)"],
    "r3": ["<v3>'", "<real> * <r3>", "<r3> * <m33>", "<m33>[<i3>]", "<r3> + <r3>", "[<real>, <real>, <real>]", "row(<m33>, <i3>)"],
    "a4": ["to_array_1d(<v4>)", "{<real>, <real>, <real>, <real>}", "sin(<a4>)", "<a4>[g2]", "rep_array(<real>, N)",
           "append_array({<real>}, to_array_1d(<v3>))"],
    "m42": ["<m42> + <m42>", "<m42> * <real>", "<m42> .* <m42>", "append_col(<v4>, <v4>)", "rep_matrix(<v4>, 2)", "<m42>[g2]",
            "diag_pre_multiply(<v4>, <m42>)", "<v4> * <v2>'", "tanh(<m42>)", "to_matrix(append_row(<v4>, <v4>), N, 2)"],
    "m33": ["<m33> * <m33>", "<m33>'", "<m33> + <spd>", "diag_matrix(<v3>)", "<v3> * <r3>", "<m33>[{2, 1, 3}, ]", "tcrossprod(<m33>)",
            "add_diag(<m33>, <real>)", "quad_form_diag(<m33>, <v3>)", "cholesky_decompose(<spd>)", "inverse_spd(<spd>)",
            "inverse(<spd>)", "<real> * <m33>", "rep_matrix(<r3>, K)", "<m42>[1:3] * <m42>[2:4]'"],
    "av3": ["{<v3>, <v3>}"],
}  # fmt: skip
HELPERS = {
    "pos": "(0.1 + exp(tanh(<real>)))", "prob": "inv_logit(tanh(<real>))", "spd": "add_diag(tcrossprod(tanh(<m33>)), 1)",
    "pos4": "exp(tanh(<v4>))", "prob4": "inv_logit(tanh(<v4>))", "simplex": "softmax(tanh(<v3>))", "cut": "cumulative_sum(exp(tanh(<v2>)))",
    "L": "cholesky_decompose(<spd>)", "corr": "cholesky_decompose(quad_form_diag(<spd>, inv_sqrt(diagonal(<spd>))))",
}  # fmt: skip
STATEMENTS = [
    "<v4> ~ normal(<real4>, <positive>);", "y ~ normal(<v4>, <positive>);", "<real> ~ student_t(<pos>, <real>, <pos>);",
    "y ~ cauchy(<real4>, <positive>);", "ys ~ double_exponential(<real4>, <positive>);", "y ~ logistic(<v4>, <pos>);",
    "<pos> ~ gamma(<pos>, <pos>);", "<pos4> ~ inv_gamma(<pos>, <pos>);", "<pos4> ~ weibull(<pos>, <positive>);",
    "<pos> ~ lognormal(<real>, <pos>);", "<pos4> ~ exponential(<positive>);", "<prob4> ~ beta(<positive>, <positive>);",
    "<prob> ~ beta_proportion(<prob>, <pos>);", "y ~ skew_normal(<real4>, <positive>, <real4>);", "y ~ gumbel(<real>, <pos>);",
    "y ~ exp_mod_normal(<real4>, <positive>, <positive>);", "<real> ~ von_mises(<real>, <pos>);", "<real> ~ std_normal();",
    "<pos> ~ chi_square(<pos>);", "<pos> ~ scaled_inv_chi_square(<pos>, <pos>);", "<pos4> ~ frechet(<positive>, <pos>);",
    "<pos4> ~ rayleigh(<positive>);", "<pos4> ~ loglogistic(<positive>, <pos>);", "1 + <pos4> ~ pareto(0.5, <positive>);",
    "<pos> ~ pareto_type_2(0, <pos>, <pos>);", "flag ~ bernoulli(<prob4>);", "flag ~ bernoulli_logit(<real4>);",
    "count ~ poisson(<positive>);", "count ~ poisson_log(<real4>);", "count ~ binomial(trials2, <prob4>);",
    "count ~ binomial_logit(trials2, <real4>);", "count ~ neg_binomial_2(<positive>, <positive>);",
    "count ~ neg_binomial_2_log(tanh(<v4>), <positive>);", "count ~ neg_binomial(<positive>, <positive>);",
    "count ~ beta_binomial(trials2, <positive>, <pos>);", "g ~ categorical(<simplex>);", "g ~ categorical_logit(<v3>);",
    "g[<i4>] ~ ordered_logistic(<real>, <cut>);", "g ~ ordered_logistic(<v4>, <cut>);", "g ~ ordered_probit(tanh(<v4>), <cut>);",
    "{3, 1, 2} ~ multinomial(<simplex>);", "<simplex> ~ dirichlet(exp(tanh(<v3>)));", "z ~ multi_normal(<v3>, <spd>);",
    "z ~ multi_normal_cholesky(<v3>, <L>);", "<v3> ~ multi_normal_prec(<v3>, <spd>);", "z ~ multi_student_t(<pos>, <v3>, <spd>);",
    "<av3> ~ multi_normal(<v3>, <spd>);", "<corr> ~ lkj_corr_cholesky(<pos>);", "<spd> ~ wishart(4, <spd>);",
    "<spd> ~ inv_wishart(3 + <pos>, S);", "flag ~ bernoulli_logit_glm(<m42>, <predictor>, <v2>);", "y ~ normal_id_glm(x, <predictor>, <v2>, <pos>);",
    "count ~ poisson_log_glm(x, <predictor>, <v2>);", "count ~ neg_binomial_2_log_glm(x, tanh(<v4>), tanh(<v2>), <pos>);",
    "g ~ categorical_logit_glm(x, <v3>, append_row(<r3>, <r3>));", "g ~ ordered_logistic_glm(x, <v2>, <cut>);",
    "target += normal_lpdf(<real4> | <real>, <pos>);", "target += normal_lcdf(<real> | <real>, <pos>);", "target += <real>;",
    "target += student_t_lccdf(<real> | <pos>, <real>, <pos>);", "target += gamma_lcdf(<pos> | <pos>, <pos>);",
    "target += log_mix(<prob>, normal_lpdf(<real> | <real>, <pos>), normal_lpdf(<real> | <real>, <pos>));",
    "target += beta_lccdf(<prob> | <pos>, <pos>);", "target += poisson_lcdf(count | <pos>);", "target += sum(<v4>);",
    "target += reduce_sum(partial, ys, 2, <real>, <pos>);", "<real> ~ shifted(<real>);", "add_to_target_lp(<real>);",
    "<real> ~ normal(<real>, <pos>) T[-30, ];", "y[<i4>] ~ normal(<real>, <pos>) T[-30, 40];",
]  # fmt: skip
STATEMENTS += [
    "for (e in <v4>) target += sin(e) * <real>;",
    "for (e in <av3>) e ~ normal(<real>, <pos>);",
    "for (row in <a4>) { if (row > 0.5678) continue; target += row; }",
    "for (i in 1:N) { if (count[i] == 7) break; target += <real> * ys[i]; }",
    "for (i in 1:N) { if (flag[i]) y[i] ~ normal(<v4>[i], <pos>); else if (i > 2) target += <real> * i; else continue; }",
    "for (i in 1:N) for (j in 1:g[i]) target += <v3>[j] * y[i];",
    "for (i in 1:N) for (j in i:N) target += <m42>[j, 1] * (ys[i] + <real>);",
    "for (i in 1:K) target += sum(<v4>[i:N]) + log_sum_exp(<v4>[1:i]);",
    "{ int k = 1; while (k < N) { target += <a4>[k]; k += g[k] > 2 ? 2 : 1; } }",
    "{ int k = 0; for (i in 1:N) { k += flag[i]; if (k > 1) target += <real> * k * i; } }",
    "{ vector[N] w = <v4>; w[2:3] = <v2>; w[{1, 4}] += <v2>; target += dot_product(w, y); }",
    "{ matrix[N, 2] w = <m42>; w[, 1] = <v4>; w[3] = <v2>'; w[1:2, 2] *= <real>; w[{4, 3}] = <m42>[1:2]; target += sum(w .* x); }",
    "{ tuple(real, vector[K]) t = (<real>, <v3>); t.2[2] = t.1; target += t.1 * sum(t.2); }",
    "{ array[2] matrix[K, K] w = {<m33>, <m33>}; w[1, 2] = <r3>; w[2][, 3] = <v3>; target += sum(w[1] * w[2]) + w[2, 1, 3]; }",
    "{ vector[K] acc; for (i in 1:N) { for (k in 1:K) acc[k] = <v3>[k] + normal_lpdf(y[i] | <v3>[k], <pos>); target += log_sum_exp(acc); } }",
    "{ vector[K] a = <v3>; for (i in 2:N) { vector[K] b; for (k in 1:K) b[k] = log_sum_exp(a + <v3>) + y[i] * a[k]; a = tanh(b); } target += sum(a); }",
    "{ real s = <real>; for (i in 1:N) { s = tanh(s + ys[i]); if (s > 0.1234) s -= <real>; target += s; } }",
    "{ array[N, 2] real w; for (i in 1:N) for (j in 1:2) w[i, j] = <m42>[i, j] * i - j; target += sum(w[1:3, 2]) + w[g[1], 1]; }",
    "target += discounted(<v4>, <real>);",
    "target += power_of(<real>, g[<i4>]);",
    "target += largest(<a4>) + to_array_1d(<v3>)[<i3>];",
    "profile(\"part\") { target += <real>; }",
    "if (flag[<i4>] && <int> > 1 || g[1] == 2) { target += <real>; } else if (<real> < 0.777) target += <real>;",
    "target += sum(<v3>[{2, 3, 3, 1}]) - sum(<m33>[{1, 3}, 2:3]) * <m42>[2:, ][<i2>, 1];",
    "target += lower_bound_constrain(<real>, <real>) - sum(simplex_constrain(<v2>) .* <v3>) + upper_bound_constrain(<real>, 2);",
]  # fmt: skip
HELPERS |= {
    "real4": ("<real>", "<v4>", "<a4>"),
    "predictor": ("<real>", "<v4>"),
    "positive": ("<pos>", "<pos4>", "to_array_1d(<pos4>)"),
}
FUNCTIONS = """functions {
  real twice(real a) { return 2 * a; }
  vector centred(vector v) { vector[size(v)] w = v; for (i in 1:size(v)) w[i] -= mean(v); return w; }
  real shifted_lpdf(real a, real b) { if (b > 0.4321) return -square(a - b); else return -0.5 * square(a - b); }
  real discounted(vector v, real a) {
    real total = 0;
    for (i in 1:size(v)) { total = total * inv_logit(a) + v[i]; if (i == 3) return total; }
    return total;
  }
  real power_of(real a, int n) { if (n == 0) return 1; return tanh(a) * power_of(a, n - 1) + n; }
  real largest(array[] real v) { real m = v[1]; for (e in v) { if (e > m) m = e; } return m; }
  void add_to_target_lp(real a) { target += -0.1 * square(a); a ~ normal(1, 2); }
  real partial(array[] real part, int start, int end, real m, real s) { return normal_lpdf(part | m, s); }
}
"""


class Generator:
    """Draws programs.

    Args:
        random: Where choices come from.
    """

    def __init__(self, random: Random):
        self._random = random
        self._variables: list[tuple[str, str]] = []  # kind and name
        self._iterations: list[str] = []
        self._number = 0

    def program(self) -> str:
        """A program that stanc accepts."""
        transformed_data = "transformed data {\n  array[N] int trials2; array[N] int g2 = {2, 4, 1, 3};\n"
        transformed_data += "  for (i in 1:N) trials2[i] = trials[i] + count[i];\n}\n"
        parameters = [self._parameter() for _ in range(self._random.randint(1, 4))]
        transformed = [self._local() for _ in range(self._random.randint(0, 2))]
        outer = len(self._variables)
        model = self._statements(2, self._random.randint(1, 4))
        del self._variables[outer:]
        blocks = [FUNCTIONS, DATA_BLOCK, transformed_data]
        blocks.append("parameters {\n" + "".join(f"  {line}\n" for line in parameters) + "}\n")
        if transformed:
            blocks.append("transformed parameters {\n" + "".join(f"  {line}\n" for line in transformed) + "}\n")
        blocks.append("model {\n" + "".join(f"  {line}\n" for line in model) + "}\n")
        return "".join(blocks)

    def _name(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}{self._number}"

    def _parameter(self) -> str:
        kind = self._random.choice(list(PARAMETERS))
        name = self._name("p")
        declared = self._random.choice(PARAMETERS[kind])
        self._variables.append((kind, name))
        return f"{declared} {name};"

    def _local(self) -> str:
        kind = self._random.choice(list(LOCALS))
        value = self.expression(kind, 2)
        name = self._name("l")
        self._variables.append((kind, name))
        return f"{LOCALS[kind]} {name} = {value};"

    def expression(self, kind: str, depth: int) -> str:
        """An expression of a kind, with so many levels of rules at most."""
        if kind in ("int", "i2", "i3", "i4"):
            return self._integer(kind)
        if kind in HELPERS:
            rule = HELPERS[kind]
            rule = self._random.choice(rule) if isinstance(rule, tuple) else rule
            return self._filled(rule, depth)
        leaves = [name for known, name in self._variables if known == kind]
        if depth == 0 or self._random.random() < 0.25:
            given = GIVEN[kind]
            return self._random.choice(leaves * 3 + given) if leaves else self._random.choice(given)
        filled = self._filled(self._random.choice(RULES[kind]), depth - 1)
        return filled if re.fullmatch(r"\w+\([^()]*\)", filled) else f"({filled})"

    def _filled(self, rule: str, depth: int) -> str:
        return re.sub(r"<(\w+)>", lambda part: self.expression(part[1], depth), rule)

    def _integer(self, kind: str) -> str:
        if kind == "int":
            return self._random.choice(["count[1]", "N", "g[3]", *self._iterations])
        largest = int(kind[1])
        choices = [str(self._random.randint(1, largest)), "2"]
        choices += [f"(1 + {name} % {largest})" for name in self._iterations]
        if largest == 4:
            choices += self._iterations
        if largest == 3:
            choices += ["g[2]", *(f"g[{name}]" for name in self._iterations)]
        return self._random.choice(choices)

    def _statements(self, depth: int, number: int) -> list[str]:
        return [line for _ in range(number) for line in self._statement(depth)]

    def _statement(self, depth: int) -> list[str]:
        kind = self._random.choice(["density"] * 5 + ["local", "assign"] + ["loop", "loop", "if"] * (depth > 0))
        if kind == "density":
            return [self._density()]
        if kind == "local":
            return [self._local()]
        if kind == "assign":
            return self._assignment()
        known = len(self._variables)
        if kind == "if":
            condition = self._random.choice(
                [f"{self.expression('int', 0)} > 2", f"{self.expression('real', 1)} > 0.123"]
            )
            body = self._statements(depth - 1, 1)
            del self._variables[known:]
            other = self._statements(depth - 1, 1) if self._random.random() < 0.5 else []
            del self._variables[known:]
            lines = [f"if ({condition}) {{", *(f"  {line}" for line in body), "}"]
            return [*lines[:-1], "} else {", *(f"  {line}" for line in other), "}"] if other else lines
        name = self._name("i")
        self._iterations.append(name)
        body = self._statements(depth - 1, self._random.randint(1, 2))
        self._iterations.pop()
        del self._variables[known:]
        return [f"for ({name} in 1:N) {{", *(f"  {line}" for line in body), "}"]

    def _density(self) -> str:
        """A statement that differs between iterations: stanli counts one that does not only once."""
        for _ in range(4):
            text = self._filled(self._random.choice(STATEMENTS), 1)
            if all(name in text for name in self._iterations):
                return text
        factors = "".join(f"ys[{name}] * " for name in self._iterations)
        return f"target += {factors}{self.expression('real', 2)};"

    def _assignment(self) -> list[str]:
        """To a part of a new variable, or along a loop."""
        kind = self._random.choice(["v4", "v3", "a4", "m33"])
        name, size = self._name("l"), {"v4": "N", "v3": "K", "a4": "N", "m33": "K"}[kind]
        value = self.expression(kind, 1)
        self._variables.append((kind, name))
        lines = [f"{LOCALS[kind]} {name} = {value};"]
        iteration = self._name("i")
        if kind == "m33":
            return [*lines, f"{name}[{self.expression('i3', 0)}] = {self.expression('r3', 1)};"]
        if self._random.random() < 0.5:
            at = self.expression("i4" if size == "N" else "i3", 0)
            return [*lines, f"{name}[{at}] = {self.expression('real', 2)};"]
        earlier = self._random.choice([f"{name}[{iteration} - 1]", f"0.5 * {name}[{iteration}]"])
        lower = "2" if "- 1" in earlier else "1"
        value = f"tanh({earlier} + {self.expression('real', 1)})"
        return [*lines, f"for ({iteration} in {lower}:{size}) {name}[{iteration}] = {value};"]


_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+\.?\d*|<-|[<>=!+\-*/.]=|\.\*|\./|\S")


def broken(program: str, random: Random) -> str:
    """The program with one token of its parameters or model taken away, doubled, or replaced by another one."""
    start = program.index("parameters {")
    tokens = list(_TOKEN.finditer(program, start))
    token = random.choice(tokens)
    other = random.choice(tokens).group()
    replacement = random.choice(["", f"{token.group()} {token.group()}", other, other, other])
    return program[: token.start()] + replacement + program[token.end() :]
