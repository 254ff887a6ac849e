"""Where the ascent of the ELBO of independent normals ends, and what it takes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.namespace import rows
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._density.work import OPERATIONS_OF_STAGE
from pathfinder._errors import Interrupt
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._refinement.elbo_ascent import BUDGET, JUDGING_DRAWS, NUM_DRAWS, STEPS_AT_ONCE, ascend, independent
from pathfinder._refinement.history import Cost
from tests.pathfinder.refinement.hierarchies import DIM, collapsed, hierarchy, outcomes


kinds = pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])


def keys_of(number):
    return np.arange(2 * number, dtype=np.uint32).reshape(number, 2)


def ascended(density, starts, fits=None, check=lambda: None, keys=None, **options):
    number = len(starts.mean)
    costs = [Cost()] * number
    fits = np.zeros(number, int) if fits is None else fits
    best, _ = ascend(density, starts, keys_of(number) if keys is None else keys, fits, costs, check, **options)
    return best, costs


def elbo_of(density, normals, lane=0):
    noise = np.random.default_rng(0).normal(size=(2000, density.dim))
    normal = rows(normals, lane)
    log_p = np.asarray(density.values(density.arrays(normal.transform(noise)[None])))
    return float(estimate_elbo(log_p, normal.log_density_of_noise(noise)[None]).mean[0])


@kinds
def test_the_best_independent_normal_of_a_correlated_one_is_found(kind):
    root = np.random.default_rng(1).normal(size=(4, 4)) + 2 * np.eye(4)
    precision, mean = root @ root.T, np.array([3.0, -1.0, 0.0, 20.0])
    density = kind(lambda x, data: -0.5 * (x - mean) @ jnp.asarray(precision) @ (x - mean), 4, np.float64)
    best, _ = ascended(density, independent(np.zeros((1, 4)), np.ones((1, 4))))
    deviations = 1 / np.sqrt(np.diag(precision))
    np.testing.assert_allclose((best.mean[0] - mean) / deviations, 0.0, atol=0.3)
    np.testing.assert_allclose(np.sqrt(best.variance[0]), deviations, rtol=0.25)


@kinds
def test_the_neck_of_a_hierarchy_is_left(kind):
    data = outcomes()
    density = kind(hierarchy, DIM, np.float64, data)
    best, (cost,) = ascended(density, collapsed(data))
    deviations = np.std(data.mean(axis=1))
    np.testing.assert_allclose(best.mean[0, 1], np.log(deviations), atol=0.3)
    np.testing.assert_allclose(best.mean[0, 2:], data.mean(axis=1), atol=0.3)
    good = independent(best.mean.copy(), np.sqrt(best.variance))
    again, _ = ascended(density, good)
    assert elbo_of(density, best) > elbo_of(density, again) - 0.5
    assert elbo_of(density, best) > elbo_of(density, collapsed(data)) + 50
    assert cost.num_gradients < BUDGET / 2


def test_costs_are_what_was_evaluated():
    counts = {"gradients": 0, "densities": 0}

    class Counted(HostDensity):
        def values(self, positions, fits=None):
            counts["densities"] += positions.size // self.dim
            return super().values(positions, fits)

        def values_and_gradients(self, positions, fits=None):
            counts["gradients"] += positions.size // self.dim
            return super().values_and_gradients(positions, fits)

    data = outcomes()
    _, (cost,) = ascended(Counted(hierarchy, DIM, np.float64, data), collapsed(data))
    assert cost == (counts["gradients"], counts["densities"])
    assert cost.num_gradients % NUM_DRAWS == cost.num_densities % JUDGING_DRAWS == 0


def test_lanes_ascend_as_if_alone():
    data = np.stack([outcomes(seed) for seed in range(3)])
    density = HostDensity(hierarchy, DIM, np.float64, data, 3)
    starts = jax.tree.map(lambda *leaves: np.concatenate(leaves), *[collapsed(own) for own in data])
    together, costs = ascended(density, starts, np.arange(3))
    assert len({cost.num_gradients for cost in costs}) > 1
    for lane in range(3):
        alone, (cost,) = ascended(density, rows(starts, [lane]), np.array([lane]), keys=keys_of(3)[[lane]])
        assert cost == costs[lane]
        np.testing.assert_array_equal(alone.mean[0], together.mean[lane])
        np.testing.assert_array_equal(alone.scale[0], together.scale[lane])


def test_compiled_lanes_that_are_repeated_change_nothing():
    data = outcomes()
    density = CompiledDensity(hierarchy, DIM, np.float64, jnp.asarray(data))
    ours, theirs = (ascended(density, collapsed(data), size=size) for size in (None, 3))
    assert ours[1] == theirs[1]
    np.testing.assert_allclose(ours[0].mean, theirs[0].mean, rtol=1e-6)
    on_host, cost = ascended(HostDensity(hierarchy, DIM, np.float64, data), collapsed(data))
    assert cost == ours[1]
    np.testing.assert_allclose(ours[0].mean, on_host.mean, rtol=1e-4)


def test_a_start_that_is_too_wide_for_the_support_is_made_narrower():
    density = HostDensity(
        lambda x, data: jnp.where(jnp.all(x > 0), jnp.sum(9 * jnp.log(x) - x), jnp.nan), 5, np.float64
    )
    best, _ = ascended(density, independent(np.full((1, 5), 10.0), np.full((1, 5), 40.0)))
    np.testing.assert_allclose(best.mean, 10.0, rtol=0.15)
    np.testing.assert_allclose(np.sqrt(best.variance), 3.0, rtol=0.3)


def test_no_density_anywhere_ends_at_the_budget():
    density = HostDensity(lambda x, data: jnp.nan * x[0], 2, np.float64)
    best, (cost,) = ascended(density, independent(np.zeros((1, 2)), np.ones((1, 2))))
    assert 0 < cost.num_gradients <= BUDGET
    assert best.is_finite.all()


def test_single_precision_stays_single():
    data = outcomes().astype(np.float32)
    start = jax.tree.map(np.float32, collapsed(data))
    density = HostDensity(hierarchy, DIM, np.float32, data)
    best, _ = ascended(density, start)
    assert {leaf.dtype for leaf in jax.tree.leaves(best)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(best.mean[0, 1], np.log(np.std(data.mean(axis=1))), atol=0.3)


def test_an_interrupt_leaves_the_costs():
    data, left = outcomes(), [3]

    def check():
        left[0] -= 1
        if left[0] == 0:
            raise Interrupt

    costs = [Cost()]
    with pytest.raises(Interrupt):
        ascend(
            HostDensity(hierarchy, DIM, np.float64, data), collapsed(data), keys_of(1), np.zeros(1, int), costs, check
        )
    assert costs[0] == (2 * STEPS_AT_ONCE * NUM_DRAWS, 0)


def test_dear_densities_have_fewer_gradients_which_the_lanes_of_a_fit_share():
    data = outcomes()
    density = HostDensity(hierarchy, DIM, np.float64, data)
    start, keys, fits = collapsed(data), np.arange(2, dtype=np.uint32)[None], np.zeros(1, np.int64)

    def spent(sharing):
        """With as many lanes beside it; and whether it was ended by the budget."""
        costs = [Cost()]
        _, ended = ascend(density, start, keys, fits, costs, lambda: None, num_sharing=np.array([int(sharing)]))
        return costs[0].num_gradients, bool(ended[0])

    whole, was_ended = spent(1)
    assert not was_ended
    most = OPERATIONS_OF_STAGE / density.operations
    assert spent(most / (whole + 1)) == (whole, False)
    for part in (1, 3, 50):
        fewer, was_ended = spent(part * most / (whole / 2))
        assert was_ended
        assert 0 < fewer <= whole / 2 / part + STEPS_AT_ONCE * NUM_DRAWS
