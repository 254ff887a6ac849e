"""Calls of the multivariate and whole densities: in Stan, and the same in Python.

Both see one vector of 25 parameters and what the helper `Parts` makes of it. `program_references.json` holds what Stan
says of the Stan text.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.densities import DISTRIBUTIONS


SIZE = 25


def point():
    """The parameters at which programs are compared."""
    return np.cos(1.7 * np.arange(SIZE)) * 0.8


class Parts(NamedTuple):
    """What the programs are written in, by the names they have in Stan."""

    a: jax.Array
    b: jax.Array
    s: jax.Array
    S: jax.Array
    R: jax.Array
    L: jax.Array
    K: jax.Array
    C: jax.Array
    c: jax.Array
    X: jax.Array


def parts(p):
    m, n = (p[i : i + 9].reshape(3, 3).T for i in (7, 16))
    eye = jnp.eye(3)
    s, r = m @ m.T + eye, n @ n.T + eye
    scale = 1 / jnp.sqrt(jnp.diagonal(s))
    return Parts(
        a=p[:3],
        b=p[3:6],
        s=jnp.exp(p[6]),
        S=s,
        R=r,
        L=jnp.linalg.cholesky(s),
        K=jnp.linalg.cholesky(r),
        C=scale[:, None] * s * scale[None, :],
        c=jnp.array([p[3], p[3] + jnp.exp(p[4])]),
        X=p[7:13].reshape(3, 2).T,
    )


# The same in Stan; matrices are filled column by column.
PREAMBLE = """
parameters { vector[25] p; }
transformed parameters {
  vector[3] a = p[1:3]; vector[3] b = p[4:6]; real s = exp(p[7]);
  matrix[3, 3] M = to_matrix(p[8:16], 3, 3); matrix[3, 3] N = to_matrix(p[17:25], 3, 3);
  matrix[3, 3] S = add_diag(M * M', 1); matrix[3, 3] R = add_diag(N * N', 1);
  matrix[3, 3] L = cholesky_decompose(S); matrix[3, 3] K = cholesky_decompose(R);
  vector[3] scale = inv_sqrt(diagonal(S)); matrix[3, 3] C = quad_form_diag(S, scale);
  vector[2] c = [p[4], p[4] + exp(p[5])]'; matrix[2, 3] X = to_matrix(p[8:13], 2, 3);
}
"""


def _of(name):
    return DISTRIBUTIONS[name].log_density


def _ints(*values):
    return np.array(values)


# name: (the call in Stan, the call here)
PROGRAMS = {
    "multi_normal": ("multi_normal_lpdf(a | b, S)", lambda q: _of("multi_normal")(q.a, q.b, q.S)),
    "multi_normal_cholesky": (
        "multi_normal_cholesky_lpdf(a | b, L)",
        lambda q: _of("multi_normal_cholesky")(q.a, q.b, q.L),
    ),
    "multi_normal_prec": ("multi_normal_prec_lpdf(a | b, S)", lambda q: _of("multi_normal_prec")(q.a, q.b, q.S)),
    "multi_student_t": (
        "multi_student_t_lpdf(a | s + 2, b, S)",
        lambda q: _of("multi_student_t")(q.a, q.s + 2, q.b, q.S),
    ),
    "multi_student_t_cholesky": (
        "multi_student_t_cholesky_lpdf(a | s + 2, b, L)",
        lambda q: _of("multi_student_t_cholesky")(q.a, q.s + 2, q.b, q.L),
    ),
    "dirichlet": (
        "dirichlet_lpdf(softmax(a) | exp(b))",
        lambda q: _of("dirichlet")(jax.nn.softmax(q.a), jnp.exp(q.b)),
    ),
    "multinomial": (
        "multinomial_lpmf({3, 0, 5} | softmax(a))",
        lambda q: _of("multinomial")(_ints(3, 0, 5), jax.nn.softmax(q.a)),
    ),
    "multinomial_logit": (
        "multinomial_logit_lpmf({3, 0, 5} | a)",
        lambda q: _of("multinomial_logit")(_ints(3, 0, 5), q.a),
    ),
    "dirichlet_multinomial": (
        "dirichlet_multinomial_lpmf({3, 0, 5} | exp(a))",
        lambda q: _of("dirichlet_multinomial")(_ints(3, 0, 5), jnp.exp(q.a)),
    ),
    "wishart": ("wishart_lpdf(S | s + 3, R)", lambda q: _of("wishart")(q.S, q.s + 3, q.R)),
    "wishart_cholesky": (
        "wishart_cholesky_lpdf(L | s + 3, K)",
        lambda q: _of("wishart_cholesky")(q.L, q.s + 3, q.K),
    ),
    "inv_wishart": ("inv_wishart_lpdf(S | s + 3, R)", lambda q: _of("inv_wishart")(q.S, q.s + 3, q.R)),
    "inv_wishart_cholesky": (
        "inv_wishart_cholesky_lpdf(L | s + 3, K)",
        lambda q: _of("inv_wishart_cholesky")(q.L, q.s + 3, q.K),
    ),
    "lkj_corr": ("lkj_corr_lpdf(C | s + 0.5)", lambda q: _of("lkj_corr")(q.C, q.s + 0.5)),
    "lkj_corr_uniform": ("lkj_corr_lpdf(C | 1)", lambda q: _of("lkj_corr")(q.C, 1.0)),
    "lkj_corr_cholesky": (
        "lkj_corr_cholesky_lpdf(cholesky_decompose(C) | s + 0.5)",
        lambda q: _of("lkj_corr_cholesky")(jnp.linalg.cholesky(q.C), q.s + 0.5),
    ),
    "lkj_cov": (
        "lkj_cov_lpdf(S | a, exp(b), s + 0.5)",
        lambda q: _of("lkj_cov")(q.S, q.a, jnp.exp(q.b), q.s + 0.5),
    ),
    "categorical": (
        "categorical_lpmf(2 | softmax(a))",
        lambda q: _of("categorical")(2, jax.nn.softmax(q.a)),
    ),
    "categorical_logit": ("categorical_logit_lpmf(3 | a)", lambda q: _of("categorical_logit")(3, q.a)),
    **{
        f"{name} {y}": (
            f"{name}_lpmf({y} | p[1], c)",
            lambda q, name=name, y=y: _of(name)(y, q.a[0], q.c),
        )
        for name in ("ordered_logistic", "ordered_probit")
        for y in (1, 2, 3)
    },
    "bernoulli_logit_glm": (
        "bernoulli_logit_glm_lpmf({1, 0} | X, s, a)",
        lambda q: _of("bernoulli_logit_glm")(_ints(1, 0), q.X, q.s, q.a),
    ),
    "bernoulli_logit_glm one outcome": (
        "bernoulli_logit_glm_lpmf(1 | X, c, a)",
        lambda q: _of("bernoulli_logit_glm")(1, q.X, q.c, q.a),
    ),
    "binomial_logit_glm": (
        "binomial_logit_glm_lpmf({3, 0} | {7, 2}, X, c, a)",
        lambda q: _of("binomial_logit_glm")(_ints(3, 0), _ints(7, 2), q.X, q.c, q.a),
    ),
    "poisson_log_glm": (
        "poisson_log_glm_lpmf({3, 0} | X, c, a)",
        lambda q: _of("poisson_log_glm")(_ints(3, 0), q.X, q.c, q.a),
    ),
    "neg_binomial_2_log_glm": (
        "neg_binomial_2_log_glm_lpmf({3, 0} | X, c, a, s)",
        lambda q: _of("neg_binomial_2_log_glm")(_ints(3, 0), q.X, q.c, q.a, q.s),
    ),
    "normal_id_glm": (
        "normal_id_glm_lpdf(c | X, s, a, s)",
        lambda q: _of("normal_id_glm")(q.c, q.X, q.s, q.a, q.s),
    ),
    "normal_id_glm one row": (
        "normal_id_glm_lpdf(c | X[2], c, a, exp(c))",
        lambda q: _of("normal_id_glm")(q.c, q.X[1], q.c, q.a, jnp.exp(q.c)),
    ),
    "ordered_logistic_glm": (
        "ordered_logistic_glm_lpmf({3, 2} | X, a, c)",
        lambda q: _of("ordered_logistic_glm")(_ints(3, 2), q.X, q.a, q.c),
    ),
    "categorical_logit_glm": (
        "categorical_logit_glm_lpmf({3, 2} | X, a, S)",
        lambda q: _of("categorical_logit_glm")(_ints(3, 2), q.X, q.a, q.S),
    ),
}
