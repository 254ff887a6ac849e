"""What becomes of refined modes that are refined again from where an ELBO is highest."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._errors import Interrupt
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._refinement.refine import RefinedFit, refine
from pathfinder._refinement.rescue import COMPARING_DRAWS, rescued
from pathfinder._settings import Settings
from tests.pathfinder.refinement.hierarchies import DIM, collapsed, hierarchy, outcomes


BOTH = np.ones(1, bool)


def refined(density, starts, worthwhile=None, max_rounds=15):
    number = len(starts.mean)
    keys = np.arange(2 * number, dtype=np.uint32).reshape(number, 2)
    worthwhile = np.ones(number, bool) if worthwhile is None else worthwhile
    lanes, _ = refine(
        density, starts, np.arange(number), density.arrays(keys), np.zeros(number, int), worthwhile, max_rounds
    )
    return RefinedFit(lanes, 24)


def rescue(density, fits, worthwhile=None, **options):
    keys = density.arrays(np.arange(2 * len(fits), dtype=np.uint32).reshape(-1, 2) + 50)
    worthwhile = np.ones(len(fits), bool) if worthwhile is None else worthwhile
    return rescued(density, fits, keys, Settings(), worthwhile, **options)


@pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])
def test_a_collapsed_mode_is_replaced(kind):
    data = outcomes()
    density = kind(hierarchy, DIM, np.float64, data)
    before = refined(density, collapsed(data))
    (after,), interrupted = rescue(density, [before])
    assert not interrupted
    (old,), (new,) = before.lanes, after.lanes
    deviation = np.log(np.std(data.mean(axis=1)))
    assert old.approximation.mean[1] < deviation - 0.5
    np.testing.assert_allclose(new.approximation.mean[1], deviation, atol=0.3)
    assert new.elbos[: len(old.elbos)] == old.elbos
    assert new.elbos[-1] > old.elbos[-1] + 10
    assert len(new.elbos) == len(new.divergences) == len(new.elbo_standard_errors)
    assert (new.initial_elbo, new.first_draws) == (old.initial_elbo, old.first_draws)
    assert new.initial is old.approximation
    assert new.num_gradients > old.num_gradients
    assert after.num_densities >= before.num_densities + 2 * COMPARING_DRAWS
    assert isinstance(new.approximation.mean, np.ndarray)


def test_a_mode_that_is_right_stays_and_pays():
    mean = np.array([1.0, -2.0, 0.5])

    def quartic(x, data):
        return -0.5 * jnp.sum((x - mean) ** 2) - 0.1 * jnp.sum((x - mean) ** 4)

    density = HostDensity(quartic, 3, np.float64)
    before = refined(density, LowRankNormal(np.zeros((1, 3)), np.ones((1, 3)), None, np.eye(3)[None]))
    (after,), _ = rescue(density, [before])
    assert after.lanes[0].approximation is before.lanes[0].approximation
    assert after.lanes[0].elbos == before.lanes[0].elbos
    assert after.lanes[0].num_gradients > before.lanes[0].num_gradients


def test_what_is_not_to_be_rescued_is_left_alone():
    data = outcomes()
    density = HostDensity(hierarchy, DIM, np.float64, data)
    starts = jax.tree.map(lambda leaf: np.concatenate([leaf, leaf]), collapsed(data))
    before = refined(density, starts, np.array([True, False]))
    assert rescue(density, [before, None], np.zeros(2, bool)) == ([before, None], False)
    (after,), _ = rescue(density, [before])
    assert after.lanes[1] is before.lanes[1]
    assert after.lanes[0].elbos != before.lanes[0].elbos


def two_starts(data):
    """In the neck, at two of its depths."""
    one = collapsed(data)
    deeper = dataclasses.replace(one, scale=0.5 * one.scale)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), one, deeper)


@pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])
def test_of_modes_that_come_to_the_same_one_is_replaced(kind):
    data = outcomes()
    density = kind(hierarchy, DIM, np.float64, data)
    before = refined(density, two_starts(data))
    (after,), interrupted = rescue(density, [before])
    assert not interrupted
    moved = [new.approximation is not old.approximation for old, new in zip(before.lanes, after.lanes, strict=True)]
    assert sum(moved) == 1
    same = moved.index(False)
    assert after.lanes[same].elbos == before.lanes[same].elbos
    assert after.lanes[same].num_gradients > before.lanes[same].num_gradients
    (alone,), _ = rescue(density, [RefinedFit([before.lanes[0]], 24)])
    assert alone.lanes[0].approximation is not before.lanes[0].approximation


def test_modes_that_stay_apart_are_all_replaced():
    data = outcomes()

    def mirrored(x, data):
        """The hierarchy at two places that are far from each other."""
        moved = x.at[0].add(-2000.0).at[2:].add(-2000.0)
        return jnp.logaddexp(hierarchy(x, data), hierarchy(moved, data))

    density = HostDensity(mirrored, DIM, np.float64, data)
    one = collapsed(data)
    other = dataclasses.replace(one, mean=one.mean + 2000.0 * (np.arange(DIM) != 1))
    before = refined(density, jax.tree.map(lambda *leaves: np.concatenate(leaves), one, other))
    (after,), _ = rescue(density, [before])
    assert all(new.approximation is not old.approximation for old, new in zip(before.lanes, after.lanes, strict=True))


def test_fits_are_rescued_as_if_alone():
    data = np.stack([outcomes(seed) for seed in range(3)])
    density = HostDensity(hierarchy, DIM, np.float64, data, 3)
    before = [refined(density.of_fit(fit), collapsed(own)) for fit, own in enumerate(data)]
    keys = np.arange(6, dtype=np.uint32).reshape(3, 2)
    together, _ = rescued(density, before, keys, Settings(), np.array([True, False, True]))
    assert together[1] is before[1]
    for fit in (0, 2):
        (alone,), _ = rescued(density.of_fit(fit), [before[fit]], keys[[fit]], Settings(), BOTH)
        one, other = together[fit].lanes[0], alone.lanes[0]
        assert (one.elbos, one.num_gradients) == (other.elbos, other.num_gradients)
        np.testing.assert_array_equal(one.approximation.core, other.approximation.core)


@pytest.mark.parametrize("how", [KeyboardInterrupt, Interrupt])
@pytest.mark.parametrize("calls", [1, 3, -2])
def test_an_interrupt_keeps_what_was_there(how, calls):
    data, left = outcomes(), []
    density = HostDensity(hierarchy, DIM, np.float64, data)
    before = refined(density, collapsed(data))
    rescue(density, [before], check=lambda: left.append(None))
    left = [calls if calls > 0 else len(left) + calls]

    def check():
        left[0] -= 1
        if left[0] == 0:
            raise how

    (after,), interrupted = rescue(density, [before], check=check)
    assert interrupted
    assert after.lanes[0].approximation is before.lanes[0].approximation
    assert (after.lanes[0].num_gradients > before.lanes[0].num_gradients) == (calls != 1)


def test_many_dimensions_have_their_own_form():
    data = np.random.default_rng(0).normal(np.random.default_rng(1).normal(5.0, 3.0, 220)[:, None], 1.0, (220, 4))

    def wide(x, data):
        around = jnp.sum((x[2:] - x[0]) ** 2) * jnp.exp(-2.0 * x[1])
        return -0.5 * (jnp.sum((data - x[2:, None]) ** 2) + around + 1e-4 * x[0] ** 2) - 219 * x[1]

    density = HostDensity(wide, 222, np.float64, data)
    mean = np.full((1, 222), np.mean(data))
    mean[0, 1] = -3.0
    before = refined(density, LowRankNormal(mean, np.full((1, 222), 0.05), np.zeros((1, 222, 4)), np.eye(4)[None]))
    (after,), _ = rescue(density, [before])
    approximation = after.lanes[0].approximation
    assert approximation.basis is not None
    assert approximation.basis.shape == before.lanes[0].approximation.basis.shape
    np.testing.assert_allclose(approximation.mean[1], np.log(np.std(data.mean(axis=1))), atol=0.2)
