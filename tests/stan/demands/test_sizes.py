"""Where sizes of arguments differ, an error says so in Stan's terms, with the place, whatever the function."""

import re

import numpy as np
import pytest

from pathfinder.stan import StanEvaluationError
from pathfinder.stan._demands.sizes import SIZES, SizeError, _arguments, check_argument_sizes
from tests.stan.running import bound


DECLARED = """
data { int N; }
transformed data {
  int zero = 0;
  vector[2] v2 = [1, 2]'; vector[3] v3 = [1, 2, 3]'; vector[1] v1 = [1]';
  row_vector[2] r2 = [1, 2]; row_vector[3] r3 = [1, 2, 3];
  matrix[2, 2] m22 = identity_matrix(2); matrix[3, 3] m33 = identity_matrix(3);
  matrix[2, 3] m23 = rep_matrix(1, 2, 3); matrix[3, 2] m32 = rep_matrix(1, 3, 2); matrix[1, 3] m13 = [[1, 2, 3]];
  array[2] int i2 = {1, 0}; array[3] int i3 = {1, 0, 1};
  array[2] real a2 = {1, 2}; array[3] real a3 = {1, 2, 3};
  array[2] vector[3] av23 = {v3, v3}; array[3] vector[3] av33 = {v3, v3, v3}; array[2] vector[2] av22 = {v2, v2};
  vector[2] s2 = [0.5, 0.5]'; vector[3] s3 = [0.2, 0.3, 0.5]';
  complex_vector[2] c2 = [1, 2]'; complex_vector[3] c3 = [1, 2, 3]';
"""
PLACE = r"line 18, column \d+"
BARS = ("lpdf", "lpmf", "cdf", "lcdf", "lccdf")

CALLS = [
    # multivariate densities
    *("multi_normal_lpdf(v2, v3, m33)", "multi_normal_lpdf(v3, v3, m22)", "multi_normal_lpdf(v2, v2, m23)"),
    *("multi_normal_lpdf(v1, v3, m33)", "multi_normal_lpdf(av23, av33, m33)", "multi_normal_lpdf(av22, v3, m33)"),
    *("multi_normal_prec_lpdf(v2, v3, m33)", "multi_normal_cholesky_lpdf(v2, v3, m33)"),
    *("multi_normal_cholesky_lpdf(v3, v3, m13)", "multi_student_t_lpdf(v2, 3, v3, m33)"),
    *("multi_student_t_cholesky_lpdf(v2, 3, v2, m33)", "multi_gp_lpdf(m23, m22, v2)", "multi_gp_lpdf(m23, m33, v3)"),
    *("multi_gp_cholesky_lpdf(m23, m22, v2)", "wishart_lpdf(m22, 4, m33)", "wishart_lpdf(m23, 4, m33)"),
    *("inv_wishart_lpdf(m22, 4, m33)", "wishart_cholesky_lpdf(m22, 4, m33)", "inv_wishart_cholesky_lpdf(m22, 4, m33)"),
    *("lkj_corr_lpdf(m23, 1)", "lkj_corr_cholesky_lpdf(m23, 1)", "lkj_cov_lpdf(m22, v3, v3, 1)"),
    *("dirichlet_lpdf(s2, v3)", "dirichlet_lpdf(v1, v3)", "multinomial_lpmf(i2, s3)", "multinomial_logit_lpmf(i3, v2)"),
    *("dirichlet_multinomial_lpmf(i2, v3)", "gaussian_dlm_obs_lpdf(m23, m22, m33, v2, m22, v2, m22)"),
    *(
        "gaussian_dlm_obs_lpdf(m23, m22, m22, v3, m22, v2, m22)",
        "gaussian_dlm_obs_lpdf(m23, m22, m22, m22, m22, v3, m22)",
    ),
    *("hmm_marginal(m23, m33, s2)", "hmm_marginal(m23, m22, s3)", "hmm_hidden_state_prob(m23, m33, s2)"),
    # generalized linear models
    *("bernoulli_logit_glm_lpmf(i2, m33, 0.0, v3)", "bernoulli_logit_glm_lpmf(i3, m33, 0.0, v2)"),
    *("bernoulli_logit_glm_lpmf(i3, m33, v2, v3)", "bernoulli_logit_glm_lpmf(i3, m33, v1, v3)"),
    *("poisson_log_glm_lpmf(i2, m33, 0.0, v3)", "poisson_log_glm_lpmf(i3, r3, v3, v2)"),
    *("neg_binomial_2_log_glm_lpmf(i3, m32, 0.0, v3, 1.0)", "neg_binomial_2_log_glm_lpmf(i3, m32, v2, v2, 1.0)"),
    *("normal_id_glm_lpdf(v2, m33, 0.0, v3, 1.0)", "normal_id_glm_lpdf(v3, m33, 0.0, v3, v2)"),
    *("normal_id_glm_lpdf(v3, m32, 0.0, v3, 1.0)", "binomial_logit_glm_lpmf(i2, i3, m23, 0.0, v3)"),
    *("ordered_logistic_glm_lpmf(i2, m33, v3, v2)", "ordered_logistic_glm_lpmf(i3, m33, v2, v2)"),
    *("categorical_logit_glm_lpmf(i3, m33, v2, m33)", "categorical_logit_glm_lpmf(i2, m33, v3, m33)"),
    # ordered and vectorised densities, distribution functions
    *("ordered_logistic_lpmf(i2, v3, v2)", "ordered_probit_lpmf(i2, v3, v2)", "normal_lpdf(v2, v3, 1)"),
    *("normal_lpdf(v1, v3, 1)", "normal_lpdf(v2, 0, a3)", "normal_cdf(v2, v3, 1)", "normal_lcdf(a2, 0, v3)"),
    *("poisson_lpmf(i2, v3)", "binomial_lpmf(i2, i3, 0.5)", "poisson_lccdf(i2, a3)", "student_t_lpdf(v3, v2, 0, 1)"),
    # random numbers
    *("normal_rng(v2, v3)", "multi_normal_rng(v2, m33)", "binomial_rng(i2, v3)"),
    *("multi_student_t_rng(3, v2, m33)", "bernoulli_logit_glm_rng(m23, v3, v3)", "wishart_rng(4, m23)"),
    # matrices
    *("quad_form(m22, m33)", "quad_form(m23, m33)", "quad_form(m22, v3)", "quad_form_sym(m22, m33)"),
    *("quad_form_diag(m22, v3)", "quad_form_diag(m22, v1)", "trace_quad_form(m22, m33)"),
    *("trace_gen_quad_form(m22, m33, m33)", "trace_gen_quad_form(m22, m22, m33)", "diag_pre_multiply(v2, m33)"),
    *("diag_pre_multiply(v1, m33)", "diag_post_multiply(m33, v2)", "diag_post_multiply(m33, v1)"),
    *("mdivide_left(m22, v3)", "mdivide_left(m23, v2)", "mdivide_left_spd(m22, m33)", "mdivide_left_tri_low(m22, v3)"),
    *(
        "mdivide_right(r3, m22)",
        "mdivide_right(r2, m23)",
        "mdivide_right_spd(m33, m22)",
        "mdivide_right_tri_low(r3, m22)",
    ),
    *("m22 \\ v3", "r3 / m22", "m33 / m22", "m22 * m33", "m22 * v3", "r2 * m33", "r2 * v3", "r3 * r3'  * r2 * v3"),
    *("m23 + m32", "v2 + v3", "v1 + v3", "r2 - r3", "v2 .* v3", "v3 ./ v2", "m22 .* m33", "v2 .^ v3", "c2 + c3"),
    *("fmax(v2, v3)", "pow(a2, a3)", "beta(v2, v3)", "lmultiply(a2, a3)", "choose(i2, i3)", "log_diff_exp(v2, v3)"),
    *("dot_product(v2, v3)", "dot_product(v1, v3)", "distance(v2, v3)", "squared_distance(r2, v3)"),
    *("columns_dot_product(m22, m33)", "rows_dot_product(m23, m32)", "rows_dot_product(v2, v3)"),
    *(
        "append_row(m22, m33)",
        "append_row(r2, r3)",
        "append_row(m22, r3)",
        "append_col(m22, m33)",
        "append_col(v2, v3)",
    ),
    *("append_col(m22, v3)", "cholesky_decompose(m23)", "determinant(m23)", "log_determinant(m23)", "inverse(m23)"),
    *("inverse_spd(m23)", "eigenvalues_sym(m23)", "eigenvectors_sym(m23)", "matrix_exp(m23)", "matrix_power(m23, 2)"),
    *("chol2inv(m23)", "log_determinant_spd(m23)", "matrix_exp_multiply(m22, m33)", "eigenvalues(m23)"),
    *("scale_matrix_exp_multiply(1.0, m22, m33)", "log_mix(s2, v3)", "log_mix(s2, av23)", "to_matrix(v3, 2, 2)"),
    *(
        "gp_exp_quad_cov(av23, av22, 1.0, 1.0)",
        "gp_exp_quad_cov(av23, 1.0, a2)",
        "gp_matern32_cov(av23, av22, 1.0, 1.0)",
    ),
    *("gp_dot_prod_cov(av23, av22, 1.0)", "gp_periodic_cov(av23, av22, 1.0, 1.0, 1.0)"),
    *(
        "segment(v3, 2, 3)",
        "head(v2, 3)",
        "block(m22, 1, 1, 3, 1)",
        "sub_col(m22, 1, 1, 3)",
        "append_array(av23, av22)",
    ),
    *("add_diag(m22, v3)", "csr_matrix_times_vector(2, 2, v2, {1, 2, 1}, {1, 2, 3}, v2)"),
]


def place(call):
    """As an expression of a program, with the bar that densities want."""
    name = call.split("(")[0]
    if name.rpartition("_")[2] in BARS:
        call = call.replace(", ", " | ", 1)
    return call


@pytest.mark.parametrize("call", CALLS)
def test_words_and_place(call):
    with pytest.raises(StanEvaluationError) as caught:
        bound(f"{DECLARED}\n\n\n\n  reject({place(call)});\n}}\nparameters {{ real q; }}", {"N": 2})
    words = caught.value.diagnostic.message
    assert re.search(PLACE, str(caught.value)), str(caught.value)
    assert not re.search(
        r"broadcast|shape|dot_general|incompatible|vmap|operands could|concat|axis|einsum|\(\d+,", words
    ), words
    name = call.split("(")[0].rpartition("_")
    assert re.search(r"size|square|elements|columns|rows|index|range|coordinates", words), words
    if re.match(r"\w+\(", call) and name[2] not in ("lpdf", "lpmf", "rng") and "index" not in words:
        assert call.split("(")[0] in words, words


@pytest.mark.parametrize(
    "statement",
    [
        *("x[1:2] += v3;", "x[1:2] = v3;", "x[1:2] .*= v3;", "x += v2;", "x = v2;", "m[1] = v3';", "m[, 1] += v3;"),
        *("m[1:2, 1] = v3;", "m[1:2, 1:2] = m33;", "m *= m33;", "a[1] = v2;", "a[1:2] = {v3, v3, v3};", "m = m33;"),
        "m[{1, 2}, 1] -= v3;",
    ],
)
def test_assignments(statement):
    declared = "vector[3] x = v3; matrix[2, 2] m = m22; array[2] vector[3] a = av23;"
    with pytest.raises(StanEvaluationError) as caught:
        bound(f"{DECLARED}\n\n\n {declared}\n  {statement}\n}}\nparameters {{ real q; }}", {"N": 2})
    assert re.search(PLACE, str(caught.value)), str(caught.value)
    assert not re.search(r"broadcast|shape|incompatible", str(caught.value)), str(caught.value)
    assert "size" in str(caught.value)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("w ~ multi_normal(m, S)", "`mu` of `multi_normal` has size 3, but 6 is needed beside `y` of size 6"),
        ("w[1:3] ~ multi_normal(m, S[1:2, 1:2])", "`Sigma` of `multi_normal` has size 2 x 2, but 3 x 3 is needed"),
        (
            "w ~ normal(m, 1)",
            "the arguments of `normal_lupdf` have different sizes: vector of size 6, vector of size 3",
        ),
    ],
)
def test_the_words_at_points(statement, words):
    program = bound(
        "transformed data { vector[6] w = rep_vector(1, 6); matrix[3, 3] S = identity_matrix(3); }"
        f"parameters {{ vector[3] m; }} model {{ {statement}; }}",
        {},
    )
    with pytest.raises(StanEvaluationError, match=re.escape(words)):
        program.log_density(np.zeros(3))


def test_every_line_of_the_table_accepts_what_it_says_and_nothing_else():
    sizes = dict(zip("nmkdrtcz", (2, 3, 4, 5, 6, 7, 8, 9), strict=True))
    for name, line in SIZES.items():
        arguments = _arguments(line)
        shapes = [tuple(sizes[letter] for letter in argument.sizes) for argument in arguments]
        check_argument_sizes(name, shapes)
        letters = [letter for argument in arguments for letter in argument.sizes]
        for position, argument in enumerate(arguments):
            for axis, letter in enumerate(argument.sizes):
                wrong = [list(shape) for shape in shapes]
                wrong[position][axis] += 1
                if letters.count(letter) > 1:
                    with pytest.raises(SizeError):
                        check_argument_sizes(name, [tuple(shape) for shape in wrong])


def test_arrays_go_with_what_is_no_array():
    program = bound(
        "data { array[4] vector[2] y; } parameters { vector[2] mu; } "
        "model { y ~ multi_normal(mu, identity_matrix(2)); mu ~ multi_normal(y, identity_matrix(2)); }",
        {"y": np.arange(8.0).reshape(4, 2)},
    )
    expected = -np.sum(np.arange(8.0) ** 2) - 8 * np.log(2 * np.pi)
    assert program.log_density(np.zeros(2)) == pytest.approx(expected)
