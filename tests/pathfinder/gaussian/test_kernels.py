"""Kernels against their formulas written with differences, values and derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.gaussian import kernels


RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(4, 3))
SCALE = np.array([0.7, 1.5, 2.0])


def distance(x, y, scale):
    return jnp.sqrt(jnp.sum(((x[:, None] - y[None]) / jnp.broadcast_to(scale, (1, 1, 3))) ** 2, axis=-1))


def sine_square(x, y, period, scale):
    return jnp.sum(
        jnp.sin(np.pi * (x[:, None] - y[None]) / period) ** 2 / jnp.broadcast_to(scale, (1, 1, 3)) ** 2, axis=-1
    )


FORMULAS = {
    "rbf": lambda x, y, s: jnp.exp(-0.5 * distance(x, y, s) ** 2),
    "matern12": lambda x, y, s: jnp.exp(-distance(x, y, s)),
    "matern32": lambda x, y, s: (1 + np.sqrt(3) * distance(x, y, s)) * jnp.exp(-np.sqrt(3) * distance(x, y, s)),
    "matern52": lambda x, y, s: (
        (1 + np.sqrt(5) * distance(x, y, s) + 5 / 3 * distance(x, y, s) ** 2) * jnp.exp(-np.sqrt(5) * distance(x, y, s))
    ),
    "rational_quadratic": lambda x, y, s: (1 + distance(x, y, s) ** 2 / 2.0) ** -1.0,
    "periodic": lambda x, y, s: jnp.exp(-2 * sine_square(x, y, 1.0, s)),
    "linear": lambda x, y, s: (x / jnp.broadcast_to(s, (1, 3))) @ (y / jnp.broadcast_to(s, (1, 3))).T,
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("scale", [SCALE, np.float64(1.3)], ids=["each", "one"])
def test_values_and_derivatives(name, scale):
    weights = np.random.default_rng(1).normal(size=(6, 4))

    def of(kernel):
        def total(x, y, scale):
            return jnp.sum(weights * kernel(x, y, scale))

        gradient = jax.grad(total, argnums=(0, 1, 2))
        return kernel(X, Y, scale), gradient(X, Y, scale), jax.hessian(total, argnums=2)(X, Y, scale)

    found = jax.jit(lambda: of(lambda x, y, scale: getattr(kernels, name)(x, y, scale=scale, sd=1.2)))()
    expected = jax.jit(lambda: of(lambda x, y, scale: 1.44 * FORMULAS[name](x, y, scale)))()
    for own, other in zip(*map(jax.tree_util.tree_leaves, (found, expected)), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", FORMULAS)
def test_derivatives_are_finite_where_points_coincide(name):
    points = np.repeat(X[:3], 2, axis=0)

    def total(x, scale):
        return jnp.sum(getattr(kernels, name)(x, scale=scale) ** 2)

    for part in jax.grad(total, argnums=(0, 1))(points, SCALE):
        assert np.isfinite(part).all()
    assert np.isfinite(jax.hessian(total, argnums=1)(points, SCALE)).all()
    matrix = getattr(kernels, name)(points, scale=SCALE)
    np.testing.assert_allclose(matrix, getattr(kernels, name)(points, points, scale=SCALE), atol=1e-7)
    if name != "linear":
        np.testing.assert_array_equal(np.diag(matrix), 1.0)


def test_sums_and_products_of_kernels():
    both = kernels.rbf(X, scale=SCALE) * kernels.periodic(X) + kernels.linear(X, sd=0.5)
    np.testing.assert_allclose(
        both, FORMULAS["rbf"](X, X, SCALE) * FORMULAS["periodic"](X, X, 1.0) + 0.25 * X @ X.T, atol=1e-12
    )


def test_no_array_of_points_by_points_by_columns():
    points = RNG.normal(size=(50, 10))

    def total(scale):
        return jnp.sum(jnp.sin(kernels.matern52(points, scale=scale)))

    sizes = {
        int(np.prod(variable.aval.shape))
        for equation in jax.make_jaxpr(jax.grad(total))(np.ones(10)).eqns
        for variable in equation.outvars
    }
    assert max(sizes) <= 50 * 50


def test_numbers_are_points_and_types_are_kept():
    numbers = np.linspace(0.0, 1.0, 5)
    np.testing.assert_allclose(kernels.rbf(numbers), kernels.rbf(numbers[:, None]))
    assert kernels.matern32(numbers.astype(np.float32)).dtype == jnp.float32
    assert kernels.rbf(np.arange(3)).shape == (3, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.rbf(X, Y[:, :2]), "`x` has 3 columns and `y` has 2"),
        (lambda: kernels.rbf(X, scale=np.ones(2)), "one for each of the 3 columns"),
        (lambda: kernels.rbf(np.ones((2, 2, 2))), "`x` must be numbers, or rows of columns"),
    ],
)
def test_shapes_that_do_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
