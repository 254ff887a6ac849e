"""Constraining transforms against Stan's, against loops after its C++ and against Jacobians by differentiation."""

import json
import math
import re
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from numpyro.distributions import biject_to

from pathfinder.stan._library.transforms.table import (
    TRANSFORMS,
    check_bounded,
    constrain_bounded,
    constrain_scaled,
    satisfied_bounded,
    unconstrain_bounded,
    unconstrain_scaled,
)


REFERENCES = json.loads(Path(__file__).with_name("transform_references.json").read_text())
INF = math.inf
SIZES = {
    "ordered": (4,),
    "positive_ordered": (4,),
    "simplex": (4,),
    "simplex:stick_breaking": (4,),
    "sum_to_zero_vector": (4,),
    "unit_vector": (4,),
    "cholesky_factor_cov": (4, 2),
    "cov_matrix": (3,),
    "cholesky_factor_corr": (4,),
    "corr_matrix": (4,),
    "row_stochastic_matrix": (2, 4),
    "column_stochastic_matrix": (4, 2),
    "row_stochastic_matrix:stick_breaking": (2, 4),
    "column_stochastic_matrix:stick_breaking": (4, 2),
    "sum_to_zero_matrix": (3, 4),
}
BOUNDS = {
    "vector<lower=-1.5>[2]": (-1.5, None),
    "vector<upper=0.5>[2]": (None, 0.5),
    "vector<lower=-1, upper=2>[2]": (-1.0, 2.0),
    "vector<lower=lows, upper=highs>[4]": (np.array([-INF, 0.5, -INF, -1.0]), np.array([INF, INF, 2.0, 3.0])),
}
# coordinates of the value in which its Lebesgue measure is taken
LOWER = {"cholesky_factor_cov": 0, "cov_matrix": 0, "cholesky_factor_corr": -1, "corr_matrix": -1}


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@cache
def compiled(word, sizes):
    """The transform of free values, compiled once."""
    return jax.jit(lambda free: TRANSFORMS[word].constrain(free, *sizes))


def free_values(word, scale=1.0):
    transform, sizes = TRANSFORMS[word], SIZES[word]
    return scale * np.random.default_rng(7).normal(size=transform.free_size(*sizes))


def coordinates(word, value):
    if word in LOWER:
        return value[np.tril_indices(value.shape[0], LOWER[word], value.shape[1])]
    if word.startswith(("simplex", "row_stochastic")):
        return value[..., :-1].reshape(-1)
    return value[:-1].reshape(-1) if word.startswith("column") else value


def test_every_transform_has_a_case():
    assert set(SIZES) == set(TRANSFORMS)


@pytest.mark.parametrize("case", REFERENCES, ids=lambda case: case["declaration"])
def test_density_and_gradient_are_those_of_stan(case):
    declaration = case["declaration"]

    def log_density(free):
        if declaration in BOUNDS:
            value, log_jacobian = constrain_bounded(free, *BOUNDS[declaration])
        elif "offset" in declaration:
            value, log_jacobian = constrain_scaled(free, 0.3, 2.5)
        else:
            word, *sizes = re.findall(r"\w+", declaration)
            value, log_jacobian = compiled(word, tuple(map(int, sizes)))(free)
        return jnp.sum(jnp.asarray(case["weights"]) * value) + log_jacobian

    value, gradient = jax.jit(jax.value_and_grad(log_density))(jnp.asarray(case["free"]))
    np.testing.assert_allclose(value, case["log_density"], 1e-13)
    np.testing.assert_allclose(gradient, case["gradient"], 1e-12, 1e-14)


@pytest.mark.parametrize("word", sorted(set(SIZES) - {"unit_vector", "sum_to_zero_vector", "sum_to_zero_matrix"}))
def test_jacobian_is_the_determinant(word):
    transform, sizes = TRANSFORMS[word], SIZES[word]
    free = free_values(word)
    jacobian = jax.jit(jax.jacfwd(lambda y: coordinates(word, transform.constrain(y, *sizes)[0])))(free)
    np.testing.assert_allclose(compiled(word, sizes)(free)[1], np.linalg.slogdet(jacobian)[1], 1e-12)


@pytest.mark.parametrize("word", ["sum_to_zero_vector", "sum_to_zero_matrix"])
def test_sums_to_zero_keep_lengths(word):
    transform, sizes = TRANSFORMS[word], SIZES[word]
    jacobian = jax.jit(jax.jacfwd(lambda y: transform.constrain(y, *sizes)[0].reshape(-1)))(free_values(word))
    np.testing.assert_allclose(jacobian.T @ jacobian, np.eye(jacobian.shape[1]), atol=1e-14)
    assert compiled(word, sizes)(free_values(word))[1] == 0


@pytest.mark.parametrize("word", SIZES)
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_unconstrain_inverts(word, scale):
    transform, sizes = TRANSFORMS[word], SIZES[word]
    free = free_values(word, scale)
    value = np.asarray(compiled(word, sizes)(free)[0])
    assert jax.jit(transform.satisfied)(value)
    back = transform.unconstrain(value, *sizes)
    if word == "unit_vector":
        free = free / np.linalg.norm(free)
    np.testing.assert_allclose(back, free, 1e-9 if scale == 1 else 1e-3, 1e-12)


@pytest.mark.parametrize("word", SIZES)
def test_lanes_and_precision(word):
    transform, sizes = TRANSFORMS[word], SIZES[word]
    lanes = jnp.stack([free_values(word), free_values(word, 0.5)])
    values, log_jacobians = jax.jit(jax.vmap(lambda y: transform.constrain(y, *sizes)))(lanes)
    for lane, value, log_jacobian in zip(lanes, values, log_jacobians, strict=True):
        expected = compiled(word, sizes)(lane)
        np.testing.assert_allclose(value, expected[0], 1e-13, 1e-15)
        np.testing.assert_allclose(log_jacobian, expected[1], 1e-13, 1e-15)
    single = jax.eval_shape(compiled(word, sizes), lanes[0].astype(np.float32))
    assert [each.dtype for each in single] == [np.float32, np.float32]


@pytest.mark.parametrize("word", SIZES)
def test_gradients_are_finite_far_out(word):
    transform, sizes = TRANSFORMS[word], SIZES[word]
    if "cov" in word:  # whose entries overflow
        return
    gradient = jax.jit(jax.grad(lambda y: transform.constrain(y, *sizes)[1]))
    for scale in (30.0, 100.0):
        assert np.all(np.isfinite(gradient(free_values(word, scale))))


@pytest.mark.parametrize("word", SIZES)
def test_one_element_and_none(word):
    transform = TRANSFORMS[word]
    sizes = (1,) * len(SIZES[word])
    value, log_jacobian = compiled(word, sizes)(np.full(transform.free_size(*sizes), 0.3))
    transform.check(value)
    assert np.isfinite(log_jacobian)


def test_the_same_as_numpyro_where_that_is_stans():
    cases = {
        "ordered": dist.constraints.ordered_vector,
        "simplex:stick_breaking": dist.constraints.simplex,
        "cholesky_factor_corr": dist.constraints.corr_cholesky,
    }
    for word, constraint in cases.items():
        free = jnp.asarray(free_values(word))
        transform = biject_to(constraint)
        value, log_jacobian = compiled(word, SIZES[word])(free)
        np.testing.assert_allclose(value, transform(free), 1e-12)
        expected = transform.log_abs_det_jacobian(free, transform(free))
        np.testing.assert_allclose(log_jacobian, expected, 1e-12)


def test_stochastic_matrices_are_simplexes_of_a_matrix_stored_by_columns():
    simplex, free = TRANSFORMS["simplex"], np.arange(6.0) / 5
    rows, log_jacobian = TRANSFORMS["row_stochastic_matrix"].constrain(free, 2, 4)
    first, second = simplex.constrain(free[[0, 2, 4]], 4), simplex.constrain(free[[1, 3, 5]], 4)
    np.testing.assert_allclose(rows, np.stack([first[0], second[0]]), 1e-14)
    np.testing.assert_allclose(log_jacobian, first[1] + second[1], 1e-14)
    columns, _ = TRANSFORMS["column_stochastic_matrix"].constrain(free, 4, 2)
    np.testing.assert_allclose(columns[:, 1], simplex.constrain(free[3:], 4)[0], 1e-14)


def test_sum_to_zero_matrix_after_the_loops_of_stan():
    free = np.random.default_rng(3).normal(size=6)
    x = free.reshape(3, 2).T  # 2 x 3, stored by columns
    z, beta = np.zeros((3, 4)), np.zeros(2)
    for j in (2, 1, 0):
        previous = 0.0
        a_j = 1 / math.sqrt((j + 1) * (j + 2))
        for i in (1, 0):
            a_i = 1 / math.sqrt((i + 1) * (i + 2))
            b_i_x = (i + 1) * a_i * x[i, j] - previous
            z[i, j] = (j + 1) * a_j * b_i_x - beta[i]
            beta[i] += a_j * b_i_x
            z[2, j] -= z[i, j]
            z[i, 3] -= z[i, j]
            previous += a_i * x[i, j]
        z[2, 3] -= z[2, j]
    np.testing.assert_allclose(TRANSFORMS["sum_to_zero_matrix"].constrain(free, 3, 4)[0], z, 1e-13, 1e-15)


VIOLATIONS = {
    "ordered": ([1.0, 2.0, 1.5], "must increase (element [2]), missed by 0.5"),
    "positive_ordered": ([-0.25, 2.0], "first element must not be negative (element [1]), missed by 0.25"),
    "simplex": ([0.5, 0.6], "sum to one, missed by 0.1"),
    "simplex:stick_breaking": ([1.5, -0.5], "not be negative (element [2]), missed by 0.5"),
    "sum_to_zero_vector": ([1.0, -0.5], "sum to zero, missed by 0.5"),
    "unit_vector": ([1.0, 1.0], "length one, missed by 1"),
    "cholesky_factor_cov": ([[1.0, 0.5], [0.0, 1.0]], "zero above the diagonal (element [1, 2]), missed by 0.5"),
    "cov_matrix": ([[1.0, 2.0], [2.0, 1.0]], "positive definite, missed by 1"),
    "cholesky_factor_corr": ([[1.0, 0.0], [0.5, 0.5]], "length one (element [2]), missed by 0.5"),
    "corr_matrix": ([[1.0, 0.0], [0.0, 2.0]], "must be one (element [2]), missed by 1"),
    "row_stochastic_matrix": ([[0.5, 0.5], [0.5, 0.75]], "sum to one (element [2]), missed by 0.25"),
    "column_stochastic_matrix": ([[0.5, 0.5], [0.5, 0.75]], "sum to one (element [2]), missed by 0.25"),
    "sum_to_zero_matrix": ([[1.0, -1.0], [1.0, -1.0]], "columns must sum to zero (element [1]), missed by 2"),
}


@pytest.mark.parametrize("word", VIOLATIONS)
def test_violations_are_told_with_place_and_size(word):
    value, message = VIOLATIONS[word]
    value = np.array(value)
    with pytest.raises(ValueError, match=re.escape(message)):
        TRANSFORMS[word].unconstrain(value, *value.shape)
    assert not jax.jit(TRANSFORMS[word].satisfied)(value)
    assert not jax.jit(TRANSFORMS[word].satisfied)(np.full_like(value, np.nan))


def test_bounds():
    with pytest.raises(ValueError, match=r"below the lower bound \(element \[2\]\), missed by 0.5"):
        unconstrain_bounded(np.array([0.5, -0.5]), 0.0)
    with pytest.raises(ValueError, match=r"above the upper bound, missed by 2"):
        check_bounded(5, None, 3)
    check_bounded(np.array([0.0, INF]), 0.0, INF)
    assert not satisfied_bounded(jnp.array([0.5, jnp.nan]), 0.0)
    assert satisfied_bounded(jnp.array([0.5, 3.0]), 0.0, jnp.inf)
    for lower, upper in BOUNDS.values():
        free = np.array([0.3, -2.0, 1.0, 0.7]) if np.ndim(lower) else np.array([0.3, -2.0])
        value, _ = constrain_bounded(free, lower, upper)
        np.testing.assert_allclose(unconstrain_bounded(value, lower, upper), free, 1e-13)
        if np.ndim(lower):  # the same where the bounds are traced
            traced = jax.jit(constrain_bounded)(free, lower, upper)
            np.testing.assert_allclose(traced[0], value, 1e-14)
            gradient = jax.jit(jax.grad(lambda y, a, b: jnp.sum(constrain_bounded(y, a, b)[0])))
            assert np.all(np.isfinite(gradient(free, lower, upper)))
    assert unconstrain_bounded(np.array(2.0), 2.0) == -INF


def test_offset_and_multiplier():
    value, log_jacobian = constrain_scaled(np.array([1.0, -1.0]), 3.0, np.array([2.0, 4.0]))
    np.testing.assert_allclose(value, [5.0, -1.0])
    np.testing.assert_allclose(log_jacobian, math.log(8.0))
    np.testing.assert_allclose(unconstrain_scaled(value, 3.0, np.array([2.0, 4.0])), [1.0, -1.0])
    assert np.isnan(constrain_scaled(np.ones(2), None, -1.0)[1])
    with pytest.raises(ValueError, match="multiplier must be positive, got -1"):
        unconstrain_scaled(value, None, -1.0)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_comes_of_free_values_fulfils_the_constraint_at_any_precision(name, dtype):
    """Also larger ones, whose rounding is not that of the reference values."""
    sizes = tuple(6 * size for size in SIZES[name])
    transform = TRANSFORMS[name]
    # Small enough that matrices are positive definite beyond rounding, too.
    free = 0.2 * np.random.default_rng(0).normal(size=(20, transform.free_size(*sizes))).astype(dtype)
    values = jax.vmap(lambda row: transform.constrain(row, *sizes)[0])(free)
    assert values.dtype == dtype
    assert jax.vmap(transform.satisfied)(values).all()


@pytest.mark.parametrize(
    "name", ["simplex", "unit_vector", "sum_to_zero_vector", "cholesky_factor_corr", "corr_matrix"]
)
def test_single_precision_is_no_excuse_for_more_than_rounding(name):
    transform, sizes = TRANSFORMS[name], SIZES[name]
    free = np.random.default_rng(1).normal(size=transform.free_size(*sizes)).astype(np.float32)
    value = np.asarray(transform.constrain(free, *sizes)[0])
    off = value.copy()
    off.flat[0] += 1e-3
    assert not transform.satisfied(jnp.asarray(off))
