"""Tempered weights, and the draws that chains start from."""

import numpy as np
import pytest

from pathfinder._chains.starts import choose_starts
from pathfinder._importance.tempering import tempered


def effective(log_weights):
    weights = np.exp(log_weights)
    return weights.sum() ** 2 / (weights**2).sum()


def test_even_weights_are_left_alone():
    log_weights = np.log(np.full(100, 0.01))
    power, own = tempered(log_weights, 50.0)
    assert power == 1.0
    np.testing.assert_allclose(own, log_weights)


@pytest.mark.parametrize("wanted", [5.0, 50.0, 400.0])
def test_uneven_ones_are_tempered_until_enough_are_effective(wanted):
    log_weights = 10.0 * np.random.default_rng(0).normal(size=1000)
    assert effective(log_weights - log_weights.max()) < 3
    power, own = tempered(log_weights, wanted)
    assert 0 < power < 1
    np.testing.assert_allclose(effective(own), wanted, rtol=1e-6)
    np.testing.assert_allclose(np.exp(own).sum(), 1.0)
    assert (np.diff(own[np.argsort(log_weights)]) >= 0).all()  # in the same order


def test_draws_without_weight_get_none():
    log_weights = np.array([-np.inf, 0.0, -2000.0, -np.inf])
    power, own = tempered(log_weights, 3.0)  # there are but two
    np.testing.assert_array_equal(own == -np.inf, [True, False, False, True])
    np.testing.assert_allclose(np.exp(own[1:3]), 0.5, atol=1e-6)
    assert power < 1e-6


def test_starts_are_distinct_and_follow_the_weights():
    log_weights = np.concatenate([np.full(50, 0.0), np.full(5000, -30.0), np.full(10, -np.inf)])
    chosen = choose_starts(log_weights, 25, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 25
    assert (chosen < 50).all()  # of which half are enough


def test_a_single_heavy_draw_is_not_the_start_of_all():
    log_weights = np.concatenate([[0.0], np.full(500, -300.0)])
    chosen = choose_starts(log_weights, 20, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 20


def test_too_few_draws_are_shared():
    chosen = choose_starts(np.array([-np.inf, 0.0, 0.0, -np.inf]), 5, np.random.default_rng(0))
    assert set(chosen.tolist()) == {1, 2}
    assert len(chosen) == 5
