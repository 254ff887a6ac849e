"""When superchains are given up: by what they remember of their starts, and by what is left of the budget."""

import numpy as np
import pytest

from pathfinder._chains.apart import APART, Memory
from pathfinder._chains.mixing import mixing


def memory(*looks):
    """After looks at numbers of iterations, with B / W of each quantity."""
    own = Memory(25, 5)
    for number, excess in looks:
        own.note(number, np.sqrt(1.0 + np.asarray(excess)))
    return own


def test_what_does_not_fade_outlasts_the_rest_of_the_budget():
    assert memory((16, [4.0]), (32, [4.0])).outlasts(100.0)
    assert memory((16, [4.0, 0.01]), (32, [4.0, 0.01])).outlasts(100.0)


def test_no_chance_is_taken_for_certain_when_most_of_the_budget_is_left():
    assert not memory((16, [4.0]), (32, [4.0])).outlasts(1000.0)


def test_two_looks_with_different_halves_are_needed():
    assert not memory((32, [4.0])).outlasts(40.0)
    assert not memory((20, [4.0]), (32, [4.0])).outlasts(40.0)


def test_memory_that_fades_until_then_is_waited_for():
    """By 32 iterations it has halved, and before 150 it is a 16th, which is below 0.21."""
    assert not memory((16, [3.0]), (32, [1.5])).outlasts(150.0)
    assert memory((16, [3.0]), (32, [1.5])).outlasts(40.0)


def test_superchains_that_are_not_far_apart_go_on():
    near = APART**2 - 1.0
    assert not memory((16, [0.99 * near]), (32, [0.99 * near])).outlasts(33.0)
    assert memory((16, [1.01 * near]), (32, [1.01 * near])).outlasts(33.0)


@pytest.mark.parametrize("excess", [np.nan, np.inf])
def test_what_is_no_number_is_no_reason(excess):
    assert not memory((16, [excess]), (32, [excess])).outlasts(33.0)


@pytest.mark.parametrize("tau", [5.0, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_autoregressive_chains_that_can_mix_are_never_given_up(tau, seed):
    """At every look with a budget in which they will: twelve times what their memory takes to fade."""
    rng, end = np.random.default_rng(seed), int(12 * tau)
    share = np.exp(-1.0 / tau)
    states = [np.repeat(rng.normal(size=(25, 5)), 5, axis=0)]
    own = Memory(25, 5)
    for number in range(1, end + 1):
        states.append(share * states[-1] + np.sqrt(1.0 - share**2) * rng.normal(size=states[-1].shape))
        if number % 8 == 0:
            own.note(number, mixing(np.stack(states[number // 2 + 1 :]), 25).nested_rhat)
            assert not own.outlasts(float(end))
