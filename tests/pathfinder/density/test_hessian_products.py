"""Products with the Hessian, of both kinds of density."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._errors import Interrupt
from pathfinder._fitting.watched import watched


DIM = 6


def log_density(x, data):
    return -jnp.sum(jnp.cosh(x * data)) - 0.5 * jnp.sum(x[1:] * x[:-1]) ** 2


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])
@pytest.mark.parametrize("count", [1, 11])
def test_they_are_those_of_the_hessian(kind, count, rng):
    data = rng.uniform(0.5, 1.5, DIM)
    density = kind(log_density, DIM, np.float64, data)
    positions, probes = rng.normal(size=(count, DIM)), rng.normal(size=(3, DIM))
    values, gradients, products = density.hessian_products(*density.arrays((positions, probes)))
    expected = [jax.hessian(log_density)(own, data) @ probes.T for own in positions]
    np.testing.assert_allclose(products, np.swapaxes(expected, 1, 2), rtol=1e-11)
    also = density.values_and_gradients(density.arrays(positions))
    np.testing.assert_allclose(values, also[0], rtol=1e-13)
    np.testing.assert_allclose(gradients, also[1], rtol=1e-12)


@pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])
def test_of_many_fits_each_has_its_own_data(kind, rng):
    data = rng.uniform(0.5, 1.5, (3, DIM))
    density = kind(log_density, DIM, np.float64, data, num_fits=3)
    positions, probes, fits = rng.normal(size=(4, DIM)), rng.normal(size=(2, DIM)), np.array([2, 0, 1, 2])
    products = density.hessian_products(*density.arrays((positions, probes, fits)))[2]
    of_one = density.of_fit(2).hessian_products(*density.arrays((positions[:1], probes)))[2]
    np.testing.assert_allclose(products[0], of_one[0], rtol=1e-12)
    np.testing.assert_allclose(products[1], (jax.hessian(log_density)(positions[1], data[0]) @ probes.T).T, rtol=1e-11)


def test_types_are_kept():
    density = HostDensity(log_density, DIM, np.float32, np.ones(DIM, np.float32))
    found = density.hessian_products(np.ones((2, DIM), np.float32), np.eye(DIM))
    assert {part.dtype for part in found} == {np.dtype(np.float32)}


def test_a_watched_density_gives_the_same_and_can_be_stopped(rng):
    density = HostDensity(log_density, DIM, np.float64, np.ones(DIM))
    positions, probes = rng.normal(size=(5, DIM)), np.eye(DIM)
    calls = []
    same = watched(density, lambda: calls.append(1)).hessian_products(positions, probes)
    np.testing.assert_array_equal(same[2], density.hessian_products(positions, probes)[2])
    assert calls

    def stop():
        raise Interrupt

    with pytest.raises(Interrupt):
        watched(density, stop).hessian_products(positions, probes)


def test_programs_are_kept_for_other_processes(rng):
    class Memory(dict):
        def read(self, name):
            return self.get(name)

        def write(self, name, content):
            self[name] = content

    store = Memory()
    positions, probes = rng.normal(size=(2, DIM)), np.eye(DIM)[:2]

    def products(own):
        return HostDensity(own, DIM, np.float64, np.ones(DIM), store=store).hessian_products(positions, probes)[2]

    # A function of its own each time: nothing is kept in this process.
    first = products(lambda x, data: log_density(x, data))
    written = len(store)
    assert written > 0
    np.testing.assert_array_equal(products(lambda x, data: log_density(x, data)), first)
    assert len(store) == written
