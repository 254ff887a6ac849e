"""Transforms as functions of the language against the transforms of the types."""

import jax
import numpy as np
import pytest

from pathfinder.stan._library.transforms.functions import CONSTRAIN_FUNCTIONS, JACOBIAN_FUNCTIONS
from pathfinder.stan._library.transforms.table import TRANSFORMS
from pathfinder.stan._types.types import Type


FREE = np.array([0.3, -1.2, 0.7, 0.1, -0.4, 0.9])
MATRIX = FREE.reshape(3, 2).T  # 2 x 3, stored by columns
VECTOR = Type("vector")
# name, arguments, the type's word and its sizes
CASES = {
    "ordered": ((FREE,), "ordered", (6,)),
    "positive_ordered": ((FREE,), "positive_ordered", (6,)),
    "simplex": ((FREE,), "simplex", (7,)),
    "sum_to_zero": ((FREE,), "sum_to_zero_vector", (7,)),
    "unit_vector": ((FREE,), "unit_vector", (6,)),
    "cholesky_factor_corr": ((FREE, 4), "cholesky_factor_corr", (4,)),
    "cholesky_factor_cov": ((FREE, 3, 3), "cholesky_factor_cov", (3, 3)),
    "corr_matrix": ((FREE, 4), "corr_matrix", (4,)),
    "cov_matrix": ((FREE, 3), "cov_matrix", (3,)),
    "stochastic_row": ((MATRIX,), "row_stochastic_matrix", (2, 4)),
    "stochastic_column": ((MATRIX,), "column_stochastic_matrix", (3, 3)),
}
ELEMENTWISE = {
    "lower_bound": ((0.5,), np.exp(FREE) + 0.5, FREE.sum()),
    "upper_bound": ((0.5,), 0.5 - np.exp(FREE), FREE.sum()),
    "lower_upper_bound": ((0, 2), 2 / (1 + np.exp(-FREE)), np.sum(np.log(2) - FREE - 2 * np.log1p(np.exp(-FREE)))),
    "offset_multiplier": ((1.0, 2.0), 1 + 2 * FREE, 6 * np.log(2)),
}


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", CASES)
def test_containers(name):
    arguments, word, sizes = CASES[name]
    types = (Type("matrix") if arguments[0].ndim == 2 else VECTOR,)

    @jax.jit
    def evaluate(given, free):
        given = (given, *arguments[1:])
        with_jacobian = JACOBIAN_FUNCTIONS[f"{name}_jacobian"].evaluate(types, *given)
        alone = CONSTRAIN_FUNCTIONS[f"{name}_constrain"].evaluate(types, *given)
        return with_jacobian, alone, TRANSFORMS[word].constrain(free, *sizes)

    (value, log_jacobian), alone, expected = evaluate(arguments[0], FREE)
    np.testing.assert_allclose(value, expected[0], 1e-13)
    np.testing.assert_allclose(log_jacobian, expected[1], 1e-13)
    np.testing.assert_array_equal(alone, value)


def test_a_matrix_that_sums_to_zero():
    value = CONSTRAIN_FUNCTIONS["sum_to_zero_constrain"].evaluate((Type("matrix"),), MATRIX)
    np.testing.assert_allclose(value, TRANSFORMS["sum_to_zero_matrix"].constrain(FREE, 3, 4)[0], 1e-13)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name):
    bounds, expected, log_jacobian = ELEMENTWISE[name]
    found = JACOBIAN_FUNCTIONS[f"{name}_jacobian"].evaluate((VECTOR,), FREE, *bounds)
    np.testing.assert_allclose(found[0], expected, 1e-13)
    np.testing.assert_allclose(found[1], log_jacobian, 1e-13)


def test_arrays_add_their_jacobians():
    free = np.stack([FREE, 2 * FREE])
    value, log_jacobian = JACOBIAN_FUNCTIONS["simplex_jacobian"].evaluate((Type("vector", 1),), free)
    parts = [TRANSFORMS["simplex"].constrain(row, 7) for row in free]
    np.testing.assert_allclose(value, [part[0] for part in parts], 1e-13)
    np.testing.assert_allclose(log_jacobian, sum(part[1] for part in parts), 1e-13)


@pytest.mark.parametrize("name", CASES)
def test_unconstraining_containers(name):
    arguments = CASES[name][0]
    types = (Type("matrix" if arguments[0].ndim == 2 else "vector"),)

    @jax.jit
    def constrain(free):
        return CONSTRAIN_FUNCTIONS[f"{name}_constrain"].evaluate(types, free, *arguments[1:])

    value = constrain(arguments[0])
    kind = "matrix" if value.ndim == 2 else "vector"
    expected = value if name == "unit_vector" else arguments[0]
    violation = value + 1 if name in ("sum_to_zero", "unit_vector") else -value
    evaluate = CONSTRAIN_FUNCTIONS[f"{name}_unconstrain"].evaluate
    unconstrain = jax.jit(lambda value: evaluate((Type(kind),), value))
    both = jax.jit(lambda values: evaluate((Type(kind, 1),), values))(np.stack([value, value]))
    np.testing.assert_allclose(unconstrain(value), expected, 1e-10, 1e-12)
    np.testing.assert_allclose(both, np.stack([expected, expected]), 1e-10, 1e-12)
    if name != "unit_vector":  # whose length is lost
        there_and_back = jax.jit(lambda free, slope: jax.jvp(lambda x: unconstrain(constrain(x)), (free,), (slope,)))
        slope = there_and_back(arguments[0], np.cos(arguments[0]))[1]
        np.testing.assert_allclose(slope, np.cos(arguments[0]), 1e-9)
    assert np.all(np.isnan(unconstrain(violation)))


def test_unconstraining_a_matrix_that_sums_to_zero():
    value = CONSTRAIN_FUNCTIONS["sum_to_zero_constrain"].evaluate((Type("matrix"),), MATRIX)
    free = CONSTRAIN_FUNCTIONS["sum_to_zero_unconstrain"].evaluate((Type("matrix"),), value)
    np.testing.assert_allclose(free, MATRIX, 1e-13)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_unconstraining_elementwise(name):
    bounds, value, _ = ELEMENTWISE[name]
    evaluate = CONSTRAIN_FUNCTIONS[f"{name}_unconstrain"].evaluate
    np.testing.assert_allclose(evaluate((VECTOR,), value, *bounds), FREE, 1e-12)


def test_values_that_violate_bounds_are_nan():
    assert np.isnan(CONSTRAIN_FUNCTIONS["lower_bound_unconstrain"].evaluate((Type("real"),), 0.4, 0.5))
    assert np.isnan(CONSTRAIN_FUNCTIONS["upper_bound_unconstrain"].evaluate((Type("real"),), 0.6, 0.5))
    assert np.isnan(CONSTRAIN_FUNCTIONS["offset_multiplier_unconstrain"].evaluate((Type("real"),), 0.6, 0.5, -1.0))


def test_every_function_has_a_case():
    names = {*CASES, *ELEMENTWISE}
    assert {f"{name}_jacobian" for name in names} == set(JACOBIAN_FUNCTIONS)
    suffixes = ("constrain", "unconstrain")
    assert {f"{name}_{suffix}" for name in names for suffix in suffixes} == set(CONSTRAIN_FUNCTIONS)
