"""Patterns of densities: found, proved, and refused with a reason."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._pattern import Pattern
from pathfinder._patterns.find import WrongPatternError, find_pattern, probes_of


def chain_with_scales(x, data):
    """A chain of 200, whose coefficient and log scale are the first two parameters."""
    coefficient, scale, chain = jnp.tanh(x[0]), jnp.exp(x[1]), x[2:]
    innovations = (chain[1:] - coefficient * chain[:-1]) / scale
    return -0.5 * (x @ x) - 0.5 * jnp.sum(innovations**2) - len(chain) * x[1] - jnp.sum(jnp.exp(chain) - data * chain)


def two_chains(x, data):
    one, other = x.reshape(2, -1)
    return -0.5 * jnp.sum((one[1:] - one[:-1] - other[:-1]) ** 2 + (other[1:] - other[:-1]) ** 2) - 0.5 * (x @ x)


def groups(x, data):
    return -0.5 * jnp.sum((x[:-3] - x[-3]) ** 2 * jnp.exp(x[-2]) + jnp.cosh(x[:-3] * x[-1]))


def second_order(x, data):
    return -0.5 * jnp.sum(jnp.exp(-x[-1]) * (x[2:-1] - 2 * x[1:-2] + x[:-3]) ** 2) - 0.5 * (x @ x)


def grid(x, data):
    table = x.reshape(20, 20)
    return -0.5 * (jnp.sum(jnp.diff(table, axis=0) ** 2) + jnp.sum(jnp.diff(table, axis=1) ** 2) + x @ x)


def non_centred(x, data):
    states = jax.lax.scan(lambda before, own: (0.9 * before + own,) * 2, 0.0, x)[1]
    return -0.5 * (x @ x) - jnp.sum(jnp.exp(states))


def host(function, dim, data=None):
    return HostDensity(function, dim, np.float64, data)


def points(dim):
    return 0.1 * np.random.default_rng(0).normal(size=(2, dim))


@pytest.mark.parametrize(
    ("function", "dim", "width", "border"),
    [(chain_with_scales, 202, 1, 2), (two_chains, 200, 3, 0), (groups, 203, 0, 3), (second_order, 201, 2, 1)],
)
@pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])
def test_patterns_of_models(function, dim, width, border, kind):
    data = np.ones(200) if function is chain_with_scales else None
    found = find_pattern(kind(function, dim, np.float64, data), points(dim))
    assert found.pattern is not None, found.reason
    # Two chains side by side need one place more in the order that is found for them.
    assert found.pattern.width in (width, width + (function is two_chains))
    assert found.pattern.border == border
    assert found.num_gradients > 0
    if function is chain_with_scales:
        assert set(found.pattern.order[-2:]) == {0, 1}


@pytest.mark.parametrize(
    ("function", "dim", "reason"),
    [(grid, 400, "no order needs at most 24 products"), (non_centred, 200, "nonlinear function")],
)
def test_what_has_no_band_is_refused_with_a_reason(function, dim, reason):
    found = find_pattern(host(function, dim), points(dim))
    assert found.pattern is None
    assert reason in found.reason


def test_a_pattern_that_lacks_entries_is_found_out():
    density = host(chain_with_scales, 202, np.ones(200))
    order = np.r_[2:202, 0:2]
    assert find_pattern(density, points(202), Pattern(order, 1, 2)).pattern is not None
    for wrong in (Pattern(order, 0, 2), Pattern(np.r_[0, 2:202, 1], 1, 1), Pattern(np.arange(202), 1, 0)):
        with pytest.raises(WrongPatternError, match="differs by"):
            find_pattern(density, points(202), wrong)
    with pytest.raises(WrongPatternError, match="has 3 parameters in its order, and the model 202"):
        find_pattern(density, points(202), Pattern(np.arange(3), 1, 0))


def test_a_function_whose_derivative_is_another_is_found_out():
    @jax.custom_jvp
    def lying(x):
        return jnp.sum(x**2)

    lying.defjvp(lambda primals, tangents: (lying(*primals), jnp.sum(primals[0]) * jnp.sum(tangents[0])))
    found = find_pattern(host(lambda x, data: -lying(x), 50), points(50))
    assert found.pattern is None
    assert "products with the Hessian differ" in found.reason


def test_without_a_hessian_nothing_is_proved():
    found = find_pattern(host(lambda x, data: jnp.sum(jnp.sqrt(x - 5.0)), 50), points(50))
    assert found.pattern is None
    assert "not finite" in found.reason


def test_functions_outside_of_jax_have_no_pattern():
    class Outside:
        def values(self, positions, fits, data):
            return -np.sum(positions**2, axis=1)

        def values_and_gradients(self, positions, fits, data):
            return self.values(positions, fits, data), -2 * positions

    density = HostDensity(Outside(), 50, np.float64)
    assert not density.has_products
    assert "not one of JAX" in find_pattern(density, points(50)).reason
    with pytest.raises(WrongPatternError, match="needs a log density in JAX"):
        find_pattern(density, points(50), Pattern(np.arange(50), 1, 0))
    with pytest.raises(TypeError, match="no products"):
        density.hessian_products(points(50), np.eye(50))


@pytest.mark.parametrize(("width", "border", "dim"), [(1, 2, 12), (0, 3, 9), (2, 0, 7), (6, 1, 8)])
def test_probes_hold_every_entry_once(width, border, dim):
    pattern = Pattern(np.random.default_rng(0).permutation(dim), width, border)
    parts = probes_of(pattern)
    assert len({len(part) for part in parts}) == 1
    together = np.concatenate(parts)
    np.testing.assert_array_equal(together.sum(axis=0), np.ones(dim))
    ordered = parts[0][:, pattern.order[: dim - border]]
    for row in range(dim - border):
        near = slice(max(0, row - width), row + width + 1)
        assert (ordered[:, near].sum(axis=1) <= 1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.array([0, 0, 1]), 0, 0), "`order` must hold the places"),
        ((np.arange(3), 3, 0), "`width` must be a whole number from 0 to 2"),
        ((np.arange(3), 0, 4), "`border` must be a whole number from 0 to 3"),
    ],
)
def test_patterns_that_are_none(arguments, message):
    with pytest.raises(ValueError, match=message):
        Pattern(*arguments)
