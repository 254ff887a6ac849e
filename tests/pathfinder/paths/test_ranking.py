import jax.numpy as jnp
import numpy as np

from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._paths.ranking import Finalists


def normals(means):
    means = jnp.asarray(means, float)[:, None]
    return LowRankNormal(means, jnp.ones_like(means), None, jnp.ones((len(means), 1, 1)))


def offered(num_slots, batches):
    """Finalists of two lanes; every approximation is marked with its iteration as mean."""
    finalists = Finalists(2, num_slots)
    for lanes, elbos, iterations in batches:
        padding = [-99.0] * (8 - len(lanes))
        finalists.offer(normals([*iterations, *padding]), np.array(lanes), np.array(elbos), np.array(iterations))
    return finalists


OFFERS = [
    ([0, 0, 1, 0], [-5.0, -3.0, -1.0, -np.inf], [1, 2, 1, 3]),
    ([0, 1, 0, 0], [-4.0, -1.0, -2.0, -2.0], [4, 2, 5, 6]),
]


def test_the_best_are_kept_with_their_approximations():
    finalists = offered(3, OFFERS)
    order = np.argsort(-finalists.elbo[0], kind="stable")
    assert finalists.elbo[0][order].tolist() == [-2.0, -2.0, -3.0]
    assert sorted(finalists.iteration[0].tolist()) == [2, 5, 6]
    means = np.asarray(finalists.take(np.zeros(3, int), np.arange(3)).mean)[:, 0]
    np.testing.assert_array_equal(means, finalists.iteration[0])


def test_one_slot_holds_the_first_of_the_best():
    finalists = offered(1, OFFERS)
    assert finalists.iteration.ravel().tolist() == [5, 1]
    np.testing.assert_array_equal(np.asarray(finalists.best.mean)[:, 0], [5, 1])


def test_batches_do_not_matter():
    parts = [([lane], [elbo], [iteration]) for batch in OFFERS for lane, elbo, iteration in zip(*batch, strict=True)]
    whole, one_by_one = offered(3, OFFERS), offered(3, parts)
    np.testing.assert_array_equal(one_by_one.elbo, whole.elbo)
    np.testing.assert_array_equal(one_by_one.iteration, whole.iteration)


def test_lanes_without_a_finite_estimate_have_none():
    finalists = offered(3, [([0, 1], [-1.0, -np.inf], [1, 1])])
    np.testing.assert_array_equal(np.isnan(np.asarray(finalists.best.mean)[:, 0]), [False, True])
    assert finalists.iteration[1].tolist() == [-1, -1, -1]
