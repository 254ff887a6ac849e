"""Which approximations of a fit are refined."""

import jax
import numpy as np
import pytest

from pathfinder._errors import Interrupt
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._optimizer.start import Tries
from pathfinder._paths.outcomes import PathOutcomes
from pathfinder._refinement.refine import refine_modes
from pathfinder._settings import Settings
from tests.pathfinder.refinement.evaluators import Plain, Quartic


DIM = 2


class TwoSided(Quartic):
    """Normals with means -6 and 6 in all dimensions, the second one less likely by some nats."""

    def __init__(self, behind):
        super().__init__(0.0)
        self.behind = behind

    def values(self, y, quartic):
        return np.maximum(super().values(y + 6, quartic), super().values(y - 6, quartic) - self.behind)

    def gradients(self, y, quartic):
        return -(y - 6 * np.sign(np.sum(y, axis=-1, keepdims=True)))


def outcomes_of(sides, elbos):
    number = len(elbos)
    zeros, none = np.zeros(number), np.zeros(number, int)
    means = 6.0 * np.asarray(sides)[:, None] * np.ones((number, DIM))
    identity = np.broadcast_to(np.eye(DIM), (number, DIM, DIM))
    return PathOutcomes(
        approximations=LowRankNormal(means, np.full((number, DIM), 1.5), None, identity),
        status=none, best_iteration=np.where(np.isfinite(elbos), 0, -1), elbo=np.array(elbos),
        elbo_standard_error=zeros, num_iterations=none, num_gradients=none, num_elbo_draws=none,
        tries=Tries(means, zeros, means, none, np.ones((number, 1), bool)), num_rejected=none,
        iterations=[], trajectories=None, seconds={}, interrupted=False,
    )  # fmt: skip


def refined(density, outcomes, **options):
    keys = np.array([[1, 2]], np.uint32)
    return refine_modes(Plain(density, DIM, np.float64), outcomes, keys, Settings(), **options)


def test_the_best_path_of_each_mode_is_refined():
    ((fit,), ended) = refined(TwoSided(1.0), outcomes_of([1, -1, -1], [-4.0, -3.0, -2.0]))
    assert not ended
    assert [lane.path for lane in fit.lanes] == [2, 0]
    assert all(lane.elbos for lane in fit.lanes)
    for lane, mean in zip(fit.lanes, (-6.0, 6.0), strict=True):
        np.testing.assert_allclose(lane.approximation.mean, mean, atol=0.1)
        np.testing.assert_allclose(lane.approximation.variance, 1.0, atol=0.1)
    # Twelve points between the first mode and each path.
    assert fit.cost == (sum(lane.num_gradients for lane in fit.lanes), 3 * 12)


def test_a_mode_without_a_share_of_the_mass_is_left_as_it_is():
    ((fit,), _) = refined(TwoSided(30.0), outcomes_of([1, -1], [-32.0, -2.0]))
    best, negligible = fit.lanes
    assert (best.path, negligible.path) == (1, 0)
    assert best.elbos
    assert not negligible.elbos
    assert negligible.approximation is negligible.initial


@pytest.mark.parametrize("how", [KeyboardInterrupt, Interrupt])
def test_nothing_is_evaluated_when_there_is_no_time(how):
    class Untouched(TwoSided):
        def values(self, y, quartic):
            raise AssertionError

    def check():
        raise how

    assert refined(Untouched(1.0), outcomes_of([1, -1], [0.0, -1.0]), check=check) == ([None], True)


def test_without_approximations_there_is_nothing_to_refine():
    outcomes = outcomes_of([1, -1], [-np.inf, -np.inf])
    outcomes.approximations = jax.tree.map(lambda leaf: np.full_like(leaf, np.nan), outcomes.approximations)
    assert refined(TwoSided(1.0), outcomes) == ([None], False)
