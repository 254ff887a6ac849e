"""Hypergeometric functions and their derivatives, against mpmath 1.4 with 30 digits (November 2026)."""

import jax
import numpy as np
import pytest

from pathfinder.stan._library.functions import FUNCTIONS


# arguments, value, and derivatives in all of them
GAUSS = [
    ((0.7, 1.2, 2.5, 0.3), 1.1209108541194429,
     (0.1863061187333792, 0.11138573980046144, -0.05518171016200819, 0.4869458251004266)),
    ((0.7, 1.2, 2.5, -3.0), 0.57649420301799821,
     (-0.42664618726449555, -0.22252541307151882, 0.09375285396599983, 0.06578773952651965)),
    ((0.7, 1.2, 2.5, 0.97), 1.9978337290967545,
     (2.423308595754776, 1.6782860576827054, -1.0253805263707598, 5.916217355984076)),
    # the series ends, those of its derivatives do not
    ((-2.0, 1.2, 2.5, 0.5), 0.59542857142857144,
     (0.13682436795087882, -0.3028571428571429, 0.14027755102040815, -0.6582857142857143)),
]  # fmt: skip
GENERAL = [
    ([0.7, 1.2, 0.3], [2.5, 1.1], -0.9, 0.93504021904309818,
     (-0.08444579620445981, -0.047796521201466364, -0.20537636653421733, 0.022111384951513663, 0.052394656020140764,
      0.058039552359675641)),
    ([0.7], [2.5, 1.1], 2.3, 1.7666140686665274,
     (1.2118109032134742, -0.36450550251049333, -0.79199224346991061, 0.42421565680404308)),
    ([0.7], [2.5], -30.0, 0.12950620525066384, (-0.40409226429936259, 0.051130203324918783, 0.0029387015955146643)),
    ([], [1.5], 3.0, 4.6067419404166062, (-3.1789079683260737, 1.8971302281913877)),
    ([0.7], [], 0.4, 1.4298620007401582, (0.73041014842737878, 1.6681723341968512)),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "value", "slopes"), GAUSS)
def test_gauss(arguments, value, slopes):
    found = jax.value_and_grad(FUNCTIONS["hypergeometric_2F1"].evaluate, (0, 1, 2, 3))(*arguments)
    np.testing.assert_allclose(found[0], value, 1e-14)
    np.testing.assert_allclose(found[1], slopes, 1e-13)


def test_gauss_at_one():
    evaluate = FUNCTIONS["hypergeometric_2F1"].evaluate
    np.testing.assert_allclose(evaluate(0.7, 1.2, 2.5, 1.0), 2.3683071351724967, 1e-14)
    assert np.isnan(evaluate(0.7, 2.0, 2.5, 1.0))
    assert np.isnan(evaluate(0.7, 1.2, 2.5, 1.5))


@pytest.mark.parametrize(("upper", "lower", "z", "value", "slopes"), GENERAL)
def test_general(upper, lower, z, value, slopes):
    name = "hypergeometric_3F2" if len(upper) == 3 else "hypergeometric_pFq"
    found, parts = jax.value_and_grad(FUNCTIONS[name].evaluate, (0, 1, 2))(np.array(upper), np.array(lower), z)
    np.testing.assert_allclose(found, value, 1e-14)
    np.testing.assert_allclose(np.hstack(parts), slopes, 1e-13)


def test_one_parameter_is_a_power():
    found = jax.value_and_grad(FUNCTIONS["hypergeometric_1F0"].evaluate, (0, 1))(0.7, 0.4)
    np.testing.assert_allclose(found[0], 0.6**-0.7, 1e-14)
    np.testing.assert_allclose(found[1], (-np.log(0.6) * 0.6**-0.7, 0.7 * 0.6**-1.7), 1e-13)
    assert np.isnan(FUNCTIONS["hypergeometric_1F0"].evaluate(0.7, 1.0))


def test_divergent_series_are_nan():
    evaluate = FUNCTIONS["hypergeometric_pFq"].evaluate
    assert np.isnan(evaluate(np.array([0.5, 1.0, 1.5]), np.array([2.0]), 0.1))
    np.testing.assert_allclose(evaluate(np.array([-1.0, 1.0, 1.5]), np.array([2.0]), 0.1), 1 - 0.1 * 1.5 / 2, 1e-15)
