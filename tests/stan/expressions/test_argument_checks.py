"""What Stan refuses as an argument is refused: at a point, in a branch taken, and in the data with its place."""

import re

import jax
import numpy as np
import pytest

from pathfinder import Model
from pathfinder.stan import StanError
from pathfinder.stan._library.functions import FUNCTIONS


def density(program, x, data=None):
    """The log density at a point, without compilation."""
    return float(Model.from_stan(program, data or {}).log_density(np.asarray(x, float)))


POINTS = {  # at x = 0.2 Stan accepts the call, at x = -0.2 it throws
    "matrix": "target += sum(cholesky_decompose([[1, 0.2], [x, 1]]));",
    "unused value": "real y = log_determinant_spd([[1, 0.2], [x, 1]]);",
    "density": "[0.1, 0.2]' ~ multi_normal([0, 0]', [[1, 0.2], [x, 1]]);",
    "length scale": "target += sum(gp_exp_quad_cov({0.0, 1.0}, 1.0, x));",
    "magnitude": "target += sum(gp_matern32_cov({0.0, 1.0}, x, 1.0));",
    "weights": "target += log_mix(x, 0.0, 1.0);",
    "lanes": "for (n in 1:2) target += n * log_mix(x, 0.0, 1.0);",
    "system covariance": "[[1, 2]] ~ gaussian_dlm_obs([[1]], [[1]], [[1]], [[x]], [0]', [[1]]);",
    "initial covariance": "[[1, 2]] ~ gaussian_dlm_obs([[1]], [[1]], [1]', [[1]], [0]', [[x]]);",
    "log density": "target += log_mix([0.3, 0.7]', [log(x + 0.2), 1.0]');",
    "scan": "real s = 0; for (n in 1:3) s = 0.5 * s + log_mix(x + s / 100, 0.0, 1.0); target += s;",
    "function": "target += helper(x);",
    "taken branch": "if (x < 0.1) target += log_mix(x, 0.0, 1.0);",
}


HELPER = "functions { real helper(real x) { return log_mix(x, 0.0, 1.0); } }"


@pytest.mark.parametrize("statement", POINTS.values(), ids=POINTS)
def test_a_point_is_rejected(statement):
    program = f"{HELPER} parameters {{ real x; }} model {{ x ~ normal(0, 1); {statement} }}"
    assert np.isfinite(density(program, [0.2]))
    assert not np.isfinite(density(program, [-0.2]))


def test_a_branch_that_is_not_taken_rejects_nothing():
    program = "parameters { real x; } model { x ~ normal(0, 1); if (x > 0) target += log_mix(x, 0.0, 1.0); }"
    assert density(program, [-0.2]) == pytest.approx(-0.02 - 0.5 * np.log(2 * np.pi))


KNOWN = {
    "target += multi_normal_lpdf([x, 0]' | [0, 0]', [[1, 0.9], [0.1, 1]]);": (
        "element [1, 2] is 0.9 and element [2, 1] is 0.1"
    ),
    "target += x * chol2inv([[1, 2], [0, 1]])[1, 1];": "lower triangular",
    "target += sum(csr_matrix_times_vector(3, 3, [1, 2, 3]', {1, 2, 9}, {1, 2, 3, 4}, rep_vector(x, 3)));": (
        "v (argument 4) has to lie between 1 and 3, but element 3 is 9"
    ),
    "target += sum(csr_matrix_times_vector(3, 3, [1, 2, 3]', {1, 2, 3}, {1, 2, 4}, rep_vector(x, 3)));": (
        "u (argument 5) needs 4 elements"
    ),
    "target += x * falling_factorial(3.0, -1);": "`falling_factorial`: the second argument (argument 2)",
    "target += x * sd(rep_vector(0, 0));": "not empty",
    "target += x * max(rep_array(0, 0));": "`max`: the argument (argument 1) has to be not empty",
    "target += x * choose(3, -1);": "`choose`: the second argument (argument 2)",
    "target += x * falling_factorial(3, -1);": "`falling_factorial`: the second argument (argument 2)",
    "target += x * quantile(rep_vector(0, 0), 0.5);": "`quantile`: the sample (argument 1)",
    "target += log_mix([0.3, 0.7]', [negative_infinity(), 1]');": "the log densities (argument 2) has to be finite",
    "[[1, x], [x, 1.3]] ~ lkj_corr(1); [[1, 0], [0, 1.3]] ~ lkj_corr(1);": "element [2, 2] is 1.3",
    "[[-1, 0], [0, 1]] ~ lkj_corr_cholesky(1);": "element [1, 1] is -1",
    "[[1, 0.2]] ~ multi_gp_cholesky([[1, 0.3], [0.2, 1]], [1]');": "element [1, 2] is 0.3",
    "[[1, 2]] ~ gaussian_dlm_obs([[1]], [[1]], [[-0.1]], [[1]], [0]', [[1]]);": "V (argument 4)",
    "[[1, 2]] ~ gaussian_dlm_obs([[1]], [[1]], [-0.1]', [[1]], [0]', [[1]]);": "element [1] is -0.1",
    "[[1, 2]] ~ gaussian_dlm_obs([[1]], [[1]], [[1]], [[-0.1]], [0]', [[1]]);": "W (argument 5)",
    "[[1, 2]] ~ gaussian_dlm_obs([[1]], [[1]], [[1]], [[1]], [0]', [[-0.1]]);": "C0 (argument 7)",
    "target += hmm_marginal([[x, 2], [2, 3]], [[-0.1, 1.1], [0.5, 0.5]], [0.5, 0.5]');": "element [1, 1] is -0.1",
}


@pytest.mark.parametrize(("statement", "words"), KNOWN.items())
def test_known_arguments_are_an_error_with_its_place(statement, words):
    with pytest.raises(StanError) as caught:
        density(f"parameters {{ real x; }}\nmodel {{ {statement} }}", [0.2])
    assert words in str(caught.value)
    assert "line 2, column" in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "ends"),
    [("{1, n + 1}", "{1, 3}"), ("{1, 2}", "{1, 2 + n}"), ("{3 - n, 2}", "{1, 3}")],
    ids=["column too large in one iteration", "end too large in one", "all fit"],
)
def test_indices_of_sparse_matrices_that_differ_between_iterations(columns, ends):
    """With x on both elements, iterations that fit add (1 + 2) x each."""
    product = f"csr_matrix_times_vector(1, 2, [1, 2]', {columns}, {ends}, [x, x]')[1]"
    value = density(f"parameters {{ real x; }} model {{ for (n in 1:2) target += {product}; }}", [0.5])
    assert value == (pytest.approx(3.0) if columns == "{3 - n, 2}" else -np.inf)


def test_a_factor_with_more_columns_than_rows_is_an_error():
    with pytest.raises(StanError, match="at least as many rows as columns, but has 2 and 3"):
        density("parameters { cholesky_factor_cov[2, 3] L; } model { }", np.zeros(5))


def test_a_factor_with_a_negative_diagonal_is_one_of_chol2inv():
    factor = np.array([[-1, 0], [0.3, 2]])
    program = "parameters { real x; } model { target += x * chol2inv([[-1, 0], [0.3, 2]])[1, 1]; }"
    assert density(program, [1.0]) == pytest.approx(np.linalg.inv(factor @ factor.T)[0, 0], rel=1e-6)


def test_observation_variances_of_a_dynamic_linear_model_may_be_a_vector():
    rest = "[[1]], [0]', [[1]])"
    programs = [
        f"parameters {{ real x; }} model {{ [[1, 2]] ~ gaussian_dlm_obs([[1]], [[1]], {noise}, {rest}; }}"
        for noise in ("[x]'", "[[x]]")
    ]
    assert density(programs[0], [0.5]) == pytest.approx(density(programs[1], [0.5]), rel=1e-5)


def test_what_is_known_is_checked_once():
    """The compiled density of known arguments has no trace of their checks."""

    def comparisons(function):
        text = str(jax.make_jaxpr(function)(np.array([0.2])))
        return len(re.findall(r"\b(?:ge|le|gt|lt|and)\b", text))

    def of_program(call):
        program = f"parameters {{ real x; }} model {{ target += {call}; }}"
        return comparisons(Model.from_stan(program, {}).log_density)

    mix = FUNCTIONS["log_mix"].evaluate
    assert of_program("log_mix(0.3, x, 1.0)") == comparisons(lambda x: mix(0.3, x[0], 1.0))
    assert of_program("log_mix(x, 0.3, 1.0)") > comparisons(lambda x: mix(x[0], 0.3, 1.0))
