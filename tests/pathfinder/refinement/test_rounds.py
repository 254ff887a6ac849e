"""Rounds of refinement on given densities: what is undone, interrupts, and lanes that do not depend on each other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.namespace import rows
from pathfinder._density.compiled import CompiledDensity
from pathfinder._errors import Interrupt
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._refinement.dense_rounds import batch_size
from pathfinder._refinement.judging import MOST_UNDONE
from pathfinder._refinement.low_rank_rounds import BATCH_SIZE
from pathfinder._refinement.refine import refine
from tests.pathfinder.refinement.evaluators import Quartic, draws_of_round


DIM, MANY = 3, 210


def starts_of(number, dim=DIM, scale=3.0):
    """Normals of one width on the leading axis, with another mean each."""
    means = 1.0 + np.arange(number)[:, None] * np.ones((1, dim))
    basis = None if dim <= 200 else np.zeros((number, dim, 4))
    core = np.broadcast_to(np.eye(dim if basis is None else 4), (number, *[dim if basis is None else 4] * 2))
    return LowRankNormal(means, np.full((number, dim), scale), basis, core)


def keys_of(number):
    return np.arange(2 * number, dtype=np.uint32).reshape(number, 2)


def refined(density, starts, fits=None, max_rounds=20, **options):
    number = len(starts.mean)
    fits = np.zeros(number, int) if fits is None else fits
    return refine(
        density, starts, np.arange(number), keys_of(number), fits, np.ones(number, bool), max_rounds, **options
    )


class Ending:
    """A `check` that ends the rounds once some of them are done."""

    def __init__(self, rounds, how=KeyboardInterrupt):
        self.left, self.how = rounds, how

    def __call__(self):
        if self.left == 0:
            raise self.how
        self.left -= 1


def test_a_round_that_makes_things_worse_is_undone():
    # A density that looks flat makes the normal as wide as can be.
    density = Quartic(0.1, spoilt=lambda call, gradients: 1e-6 * gradients if call == 0 else gradients)
    (lane,), ended = refined(density.density(DIM), starts_of(1, scale=0.7))
    assert not ended
    assert lane.num_undone == 1
    assert lane.elbos[1] < lane.elbos[0] - 10
    assert lane.elbos[-1] > lane.elbos[0] + 1
    np.testing.assert_allclose(density.calls[2], draws_of_round(lane.initial, keys_of(1)[0], 2, batch_size(DIM)))


@pytest.mark.parametrize("dim", [1, 10, 60, 120])
def test_a_mean_ten_deviations_off_takes_two_rounds(dim):
    """One that moves it, and one that finds the scores matched."""
    start = starts_of(1, dim, scale=1.0)
    (lane,), _ = refined(Quartic(0.0, mean=11.0).density(dim), start)
    assert len(lane.elbos) == 2
    assert lane.divergences[0] > 90
    np.testing.assert_allclose(lane.approximation.mean, 11.0, atol=0.01)
    np.testing.assert_allclose(lane.approximation.variance, 1.0, atol=0.01)


def test_rounds_that_never_come_right_are_given_up():
    def overflowing(_, gradients):
        signs = np.where(np.arange(gradients.shape[-2]) % 2, 1.3e154, -1.3e154)
        return np.zeros_like(gradients) + signs[:, None] * (np.arange(DIM) == 0)

    density = Quartic(0.1, spoilt=overflowing)
    (lane,), ended = refined(density.density(DIM), starts_of(1, scale=1.0))
    assert not ended
    # Steps that are no number are undone until the batch counts so little that there is one, far too narrow.
    assert lane.num_undone == MOST_UNDONE + 1
    assert min(lane.elbos) < -100
    np.testing.assert_array_equal(lane.approximation.mean, lane.initial.mean)
    np.testing.assert_array_equal(lane.approximation.core, lane.initial.core)


@pytest.mark.parametrize("how", [KeyboardInterrupt, Interrupt])
@pytest.mark.parametrize(("dim", "rounds"), [(DIM, 2), (MANY, 1)])
def test_an_interrupt_keeps_the_last_normal_that_was_judged(dim, rounds, how):
    density = Quartic(0.2)
    (lane,), ended = refined(density.density(dim), starts_of(1, dim), check=Ending(rounds, how))
    assert ended
    assert len(density.calls) == len(lane.elbos) == rounds
    count = batch_size(dim) if dim == DIM else BATCH_SIZE
    last = draws_of_round(lane.approximation, keys_of(1)[0], rounds - 1, count)
    np.testing.assert_allclose(density.calls[-1], last, rtol=1e-12)


def test_an_interrupt_in_one_mode_leaves_the_next_as_it_is():
    (first, second), ended = refined(Quartic(0.2).density(DIM), starts_of(2), check=Ending(1))
    assert ended
    assert (len(first.elbos), len(second.elbos)) == (1, 0)
    assert second.num_gradients == 0
    assert np.isnan(second.initial_elbo)
    assert second.approximation is second.initial
    np.testing.assert_array_equal(second.initial.mean, starts_of(2).mean[1])


def test_an_interrupt_after_a_mode_is_done_loses_nothing_of_it():
    whole, _ = refined(Quartic(0.2).density(DIM), starts_of(2))
    cut, ended = refined(Quartic(0.2).density(DIM), starts_of(2), check=Ending(len(whole[0].elbos)))
    assert ended
    assert len(cut[1].elbos) == 0
    for name in ("mean", "core"):
        np.testing.assert_array_equal(getattr(whole[0].approximation, name), getattr(cut[0].approximation, name))


def test_an_interrupt_in_a_batch_loses_nothing_of_fits_that_are_done():
    quartic, fits = [0.0, 5.0], np.arange(2)
    whole, _ = refined(Quartic(quartic).density(DIM, 2), starts_of(2), fits)
    rounds = [len(lane.elbos) for lane in whole]
    assert rounds[0] < rounds[1]
    density = Quartic(quartic)
    cut, ended = refined(density.density(DIM, 2), starts_of(2), fits, check=Ending(rounds[0]))
    assert ended
    np.testing.assert_array_equal(whole[0].approximation.core, cut[0].approximation.core)
    last = draws_of_round(cut[1].approximation, keys_of(2)[1], rounds[0] - 1, batch_size(DIM))
    np.testing.assert_allclose(density.calls[-1][-batch_size(DIM) :], last, rtol=1e-12)


def test_lanes_are_refined_as_if_alone_and_no_longer_than_they_need():
    quartic, fits = [0.0, 5.0, 0.3], np.arange(3)
    density = Quartic(quartic)
    together, _ = refined(density.density(DIM, 3), starts_of(3), fits)
    assert sum(len(call) for call in density.calls) == sum(lane.num_gradients for lane in together)
    np.testing.assert_allclose(together[0].approximation.mean, 0.0, atol=0.1)
    np.testing.assert_allclose(together[0].approximation.variance, 1.0, atol=0.1)
    for fit, lane in enumerate(together):
        (alone,), _ = refine(
            Quartic(quartic[fit]).density(DIM), rows(starts_of(3), [fit]), np.zeros(1, int), keys_of(3)[[fit]],
            np.zeros(1, int), np.ones(1, bool), 20,
        )  # fmt: skip
        assert lane.elbos == alone.elbos
        np.testing.assert_array_equal(lane.approximation.core, alone.approximation.core)
        assert [kept.key.tolist() for kept in lane.kept] == [kept.key.tolist() for kept in alone.kept]


@pytest.mark.parametrize(("dim", "num_fits"), [(DIM, 3), (MANY, None)])
def test_compiled_rounds_come_to_the_same(dim, num_fits):
    quartic = np.array([0.0, 5.0, 0.3]) if num_fits else 0.02

    def log_density(x, data):
        return -0.5 * jnp.sum(x**2) - data * jnp.sum(x**4)

    number, most = num_fits or 1, 20 if num_fits else 3
    starts, fits, keys = starts_of(number, dim), np.arange(number), keys_of(number)
    compiled = CompiledDensity(log_density, dim, np.float64, jnp.asarray(quartic), num_fits)
    theirs, _ = refine(compiled, starts, np.arange(number), jnp.asarray(keys), fits, np.ones(number, bool), most)
    ours, _ = refined(Quartic(quartic).density(dim, num_fits), starts, fits, most)
    for one, other in zip(ours, theirs, strict=True):
        assert (len(one.elbos), one.num_undone, one.num_gradients) == (
            len(other.elbos),
            other.num_undone,
            other.num_gradients,
        )
        np.testing.assert_allclose(one.elbos, other.elbos, rtol=1e-8)
        np.testing.assert_allclose(one.divergences, other.divergences, rtol=1e-6)
        np.testing.assert_allclose(one.approximation.variance, other.approximation.variance, rtol=1e-6)
        assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves((other.approximation, other.kept)))


@pytest.mark.parametrize("dim", [DIM, MANY])
def test_single_precision_stays_single(dim):
    starts = jax.tree.map(np.float32, starts_of(1, dim))
    density = Quartic(np.float32(0.2), mean=np.float32(0.0)).density(dim, dtype=np.float32)
    (lane,), _ = refined(density, starts, max_rounds=3)
    assert {leaf.dtype for leaf in jax.tree.leaves(lane.approximation)} == {np.dtype(np.float32)}
    np.testing.assert_array_less(lane.approximation.variance, 9.0)  # that of the start


def test_an_earlier_low_rank_round_is_taken_if_it_was_better():
    def pushed(call, gradients):
        return gradients + (100.0 if call >= 1 else 0.0)

    density = Quartic(0.02, spoilt=pushed)
    (lane,), _ = refined(density.density(MANY), starts_of(1, MANY), max_rounds=4)
    best = int(np.argmax(lane.elbos))
    assert best == 1
    assert lane.elbos[best] > lane.elbos[-1] + 10
    np.testing.assert_allclose(
        density.calls[best], draws_of_round(lane.approximation, keys_of(1)[0], best, BATCH_SIZE), rtol=1e-12
    )
