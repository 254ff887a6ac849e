"""Chains as a whole: they find what normals cannot say, end when they have mixed, and keep to their budget."""

import numpy as np
import pytest

from pathfinder._chains.run_chains import ChainOptions, run_chains
from pathfinder._errors import Interrupt
from tests.pathfinder.chains import targets


KEY = np.array([0, 3], np.uint32)
OPTIONS = ChainOptions(num_superchains=12, chains_per_start=5, max_gradients=80_000, num_draws=400)


def banana(positions):
    """x is standard, and y is normal about x^2 / 2 with a standard deviation of 0.5."""
    x, away = positions[:, 0], 4.0 * (positions[:, 1] - 0.5 * positions[:, 0] ** 2)
    return -0.5 * x**2 - 0.125 * away**2, np.stack([-x + away * x, -away], axis=-1)


def run(density, options=OPTIONS, key=KEY, starts=None, **more):
    if starts is None:
        starts = np.random.default_rng(0).normal(size=(options.num_superchains, density.dim))
    rows = np.arange(100, 100 + options.num_superchains)
    one_mode = np.zeros(options.num_superchains, int)
    return run_chains(density, starts, rows, one_mode, targets.standard(density.dim), key, options, **more)


def test_chains_find_a_shape_that_is_no_normal():
    found = run(targets.host(banana, 2))
    assert found.ended == "mixed"
    x, y = found.states.reshape(-1, 2).T
    np.testing.assert_allclose([x.mean(), y.mean()], [0.0, 0.5], atol=0.15)
    np.testing.assert_allclose([x.var(), y.var()], [1.0, 0.5 + 0.25], rtol=0.3)
    np.testing.assert_allclose(np.corrcoef(x**2, y)[0, 1], np.sqrt(0.5 / 0.75), atol=0.08)
    np.testing.assert_allclose(found.log_p.ravel(), banana(found.states.reshape(-1, 2))[0])
    assert found.nested_rhat <= 1.05
    assert found.effective_sample_size >= 400


def test_coordinates_and_steps_adapt_to_scales_that_are_far_off():
    """Standard deviations of 0.001 and 1000, from starts that have neither, in coordinates that know nothing."""
    scale = np.array([1e-3, 1e3, 1.0])
    density = targets.host(lambda x: (-0.5 * np.sum((x / scale) ** 2, axis=-1), -x / scale**2), 3)
    starts = scale * 0.1 * np.random.default_rng(0).normal(size=(12, 3))
    found = run(density, OPTIONS._replace(max_gradients=200_000), starts=starts)
    assert found.ended == "mixed"
    np.testing.assert_allclose(found.states.std(axis=(0, 1)) / scale, 1.0, atol=0.15)
    assert 0.6 < found.acceptance < 0.95


def test_gradients_are_counted_and_kept_within_the_budget():
    density = targets.host(banana, 2)
    found = run(density, OPTIONS._replace(max_gradients=3_000))
    assert found.ended == "budget"
    assert found.num_gradients == density.function.num_points <= 3_000
    assert len(found.states) == max(8, (found.num_iterations + 1) // 2)


def test_a_budget_for_too_few_iterations_gives_nothing():
    assert run(targets.host(banana, 2), OPTIONS._replace(max_gradients=200)) is None


def apart(distance):
    """Two standard normals at plus and minus a distance."""

    def both(positions):
        with np.errstate(under="ignore"):
            side = np.tanh(distance * positions)
        return np.logaddexp(*(-0.5 * np.sum((positions + sign * distance) ** 2, axis=-1) for sign in (1, -1))), (
            distance * side - positions
        )

    return targets.host(both, 1)


def run_from_both_modes(distance, seed=3, **budget):
    starts = np.where(np.arange(12)[:, None] % 2 == 0, distance, -distance)
    key = np.array([0, seed], np.uint32)
    return run(apart(distance), OPTIONS._replace(**budget), key=key, starts=starts + 0.0)


@pytest.mark.parametrize("distance", [6.0, 50.0])
def test_superchains_that_stay_in_different_modes_are_given_up(distance):
    found = run_from_both_modes(distance)
    assert found.ended == "apart"
    assert found.num_gradients < 40_000
    assert found.nested_rhat > 1.5  # of normal scores, for which two points are not far apart
    assert found.effective_sample_size < 100


def test_superchains_in_different_modes_have_not_mixed_when_a_small_budget_is_used_up():
    found = run_from_both_modes(50.0, max_gradients=2_000)
    assert found.ended == "budget"
    assert found.nested_rhat > 1.5


@pytest.mark.parametrize("seed", [3, 4])
def test_superchains_that_change_between_modes_now_and_then_are_not_given_up(seed):
    """A superchain leaves its mode once in a hundred iterations or so."""
    found = run_from_both_modes(3.0, seed)
    assert found.ended != "apart"
    assert found.nested_rhat < 1.05


def test_the_same_key_gives_the_same_states_and_another_one_others():
    first, again, other = (run(targets.host(banana, 2), key=key) for key in (KEY, KEY, KEY + np.uint32(1)))
    np.testing.assert_array_equal(first.states, again.states)
    assert not np.allclose(first.states[:2], other.states[:2])


def test_both_drivers_give_the_same_chains():
    options = OPTIONS._replace(max_gradients=2_500)
    starts = targets.MEAN + np.random.default_rng(0).normal(size=(12, 3))
    host, compiled = (
        run(density, options, key=density.arrays(KEY), starts=starts)
        for density in (targets.normal_density(), targets.compiled_normal_density())
    )
    np.testing.assert_allclose(host.states, compiled.states, rtol=1e-6, atol=1e-6)
    assert (host.num_iterations, host.num_gradients) == (compiled.num_iterations, compiled.num_gradients)


def interrupted_after(iterations):
    calls = []

    def check():
        calls.append(None)
        if len(calls) > iterations + 1:
            raise Interrupt

    return run(targets.host(banana, 2), check=check)


def test_an_interrupt_gives_what_there_is():
    found = interrupted_after(11)
    assert found.ended == "interrupted"
    assert found.num_iterations == 11


def test_an_interrupt_before_there_is_enough_gives_nothing():
    with pytest.raises(Interrupt):
        interrupted_after(3)


def test_draws_are_spread_over_chains_and_iterations():
    found = run(targets.host(banana, 2))
    rows = found.rows(240)
    iterations, chains = np.divmod(rows, found.num_chains)
    assert (np.bincount(chains) == 4).all()
    assert len(set(rows.tolist())) == 240
    assert (np.diff(chains) >= 0).all()
    assert iterations.max() == len(found.states) - 1
    assert (np.diff(iterations.reshape(60, 4)) >= len(found.states) // 4).all()
    counts = np.bincount(found.rows(250) % found.num_chains)
    assert set(counts.tolist()) == {4, 5}
    assert counts.sum() == 250
    assert len(found.rows(10 * found.num_states)) == 10 * found.num_states
    positions = next(iter(found.positions(chains, iterations)))[1]
    np.testing.assert_array_equal(positions, found.states.reshape(-1, 2)[rows])


def test_single_precision():
    density = targets.host(lambda x: (-0.5 * np.sum(x**2, axis=-1), -x), 2, np.float32)
    starts = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
    found = run_chains(
        density, starts, np.arange(12), np.zeros(12, int), targets.standard(2, np.float32), KEY,
        OPTIONS._replace(max_gradients=4000),
    )  # fmt: skip
    assert found.states.dtype == found.log_p.dtype == np.float32
