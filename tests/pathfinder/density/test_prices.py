"""What densities tell of their price."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import OPERATIONS_OF_CALLED, HostDensity
from pathfinder._density.kept_programs import drop_programs
from pathfinder._density.stored import StoredFunction
from pathfinder._density.work import operations


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
