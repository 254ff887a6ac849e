"""What evaluations cost, told from traces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import OPERATIONS_OF_CALLED, HostDensity
from pathfinder._density.kept_programs import drop_programs
from pathfinder._density.stored import StoredFunction
from pathfinder._density.work import USUAL_TURNS, operations


def looped(x):
    return jax.lax.scan(lambda total, _: (total + jnp.sum(x), None), 0.0, None, length=7)[0]


def until(x):
    return jax.lax.while_loop(lambda total: total < 10.0, lambda total: total + jnp.sum(x), 0.0)


@pytest.mark.parametrize(
    ("function", "least", "most"),
    [
        (jnp.sum, 5, 10),
        (jax.jit(jnp.sum), 5, 10),
        (lambda x: jnp.sum(jnp.ones((100, 5)) @ x), 1000, 1700),
        (looped, 35, 100),
        (lambda x: jax.lax.cond(x[0] > 0, lambda: jnp.sum(jnp.exp(x)), lambda: 0.0), 10, 20),
        (until, 5 * USUAL_TURNS, 10 * USUAL_TURNS),
        (lambda x: jnp.linalg.cholesky(jnp.outer(x, x))[0, 0], 5**3 / 3, 400),
        (jax.vmap(lambda x: jnp.linalg.cholesky(jnp.eye(5) * x)[0, 0]), 5 * 5**3 / 3, 2000),
    ],
    ids=["sum", "called", "product", "loop", "choice", "loop of unknown length", "LAPACK", "stack"],
)
def test_operations_follow_from_shapes(function, least, most):
    traced = jax.make_jaxpr(function)(jax.ShapeDtypeStruct((5,), np.float64))
    assert least <= operations(traced.jaxpr) <= most


def weighted(position, data):
    return -jnp.sum(data @ position)


@pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])
def test_densities_tell_their_price(kind):
    data = jnp.ones((10, 3))
    expected = operations(jax.make_jaxpr(weighted)(jnp.ones(3), data).jaxpr)
    assert kind(weighted, 3, data.dtype, data).operations == expected
    many = kind(weighted, 3, data.dtype, jnp.ones((4, 10, 3)), 4)
    assert many.operations == many.of_fit(2).operations == expected


class Called:
    def values(self, positions, fits, data):
        return np.zeros(len(positions))

    def values_and_gradients(self, positions, fits, data):
        return np.zeros(len(positions)), np.zeros_like(positions)


def test_a_function_outside_of_jax_has_a_usual_price():
    assert HostDensity(Called(), 3, np.float64).operations == OPERATIONS_OF_CALLED


class Memory(dict):
    def read(self, name):
        return self.get(name)

    def write(self, name, content):
        self[name] = content


def test_the_price_is_stored_with_the_programs(without_cache_of_jax):
    store, data = Memory(), jnp.ones((10, 3))

    def priced(make):
        drop_programs()
        density = HostDensity(StoredFunction("key", store, make), 3, data.dtype, data)
        density.values_and_gradients(np.ones((2, 3)))
        density.values(np.ones((2, 3)))
        return density.operations

    def nothing():
        raise AssertionError("nothing needs to be traced")

    assert priced(lambda: weighted) == priced(nothing)
    drop_programs()
