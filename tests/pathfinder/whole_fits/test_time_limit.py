"""A time limit holds in every stage of a fit, by a clock that goes on with evaluations alone."""

import time

import numpy as np
import pytest

import pathfinder
from pathfinder import Model, Status


DIM = 10
SECONDS_PER_POINT = 0.001
# After the limit: a second for draws, and evaluations between two looks.
OVERSHOOT = 1.0 + 0.4


class Clock:
    """A funnel whose evaluation takes a millisecond for each point, and nothing else any time."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def value_and_grad(self, points):
        self.now += SECONDS_PER_POINT * len(points)
        with np.errstate(all="ignore"):
            head, tail, scale = points[:, :1], points[:, 1:], np.exp(-6.0 * points[:, :1])
            squares = (tail * scale) ** 2
            values = -0.5 * head[:, 0] ** 2 - np.sum(0.5 * squares + 6.0 * head, axis=1)
            first = -head[:, 0] + np.sum(6.0 * squares - 6.0, axis=1)
            return values, np.column_stack([first, -tail * scale**2])


def fitted(monkeypatch, num_paths=1, **options):
    clock = Clock()
    model = Model.from_callable(clock.value_and_grad, DIM, batched=True)
    with monkeypatch.context() as patch:
        patch.setattr(time, "perf_counter", clock)
        result = pathfinder.fit(model, seed=3, num_paths=num_paths, progress=False, **options)
    return result, clock.now


def test_a_limit_holds_in_every_stage(monkeypatch):
    whole, taken = fitted(monkeypatch)
    assert not whole.interrupted
    assert whole.uses_chains
    chains = whole.seconds["chains"]
    for limit in [*np.linspace(0.3, taken - chains, 12), taken - 0.9 * chains, taken - 0.3 * chains]:
        result, end = fitted(monkeypatch, max_time=limit)
        assert result.interrupted
        assert end < limit + OVERSHOOT
        assert np.all(np.isfinite(result.unconstrained_draws))
        assert "ended early" in repr(result).splitlines()[0]


def test_a_limit_that_is_not_reached_changes_nothing(monkeypatch):
    (whole, _), (limited, _) = fitted(monkeypatch), fitted(monkeypatch, max_time=1e6)
    np.testing.assert_array_equal(whole.unconstrained_draws, limited.unconstrained_draws)
    assert (whole.num_gradients, whole.num_densities) == (limited.num_gradients, limited.num_densities)


def test_paths_that_had_no_turn_yet(monkeypatch):
    """One path after the other, of which the first is ended early."""
    monkeypatch.setattr("pathfinder._paths.run_paths.block_size", lambda *_: 1)
    whole, _ = fitted(monkeypatch, num_paths=3, refine=False)
    result, _ = fitted(monkeypatch, num_paths=3, refine=False, max_time=0.6 * whole.seconds["paths"] / 3)
    assert all(path.status.succeeded for path in whole.paths)
    statuses = [path.status for path in result.paths]
    assert statuses == [Status.INTERRUPTED, Status.INTERRUPTED_AT_START, Status.INTERRUPTED_AT_START]


def test_draws_without_time_for_all(monkeypatch):
    result, end = fitted(monkeypatch, max_time=1e-3, num_draws=100_000, refine=False)
    assert end < OVERSHOOT
    assert 0 < len(result.pool) < 2000
    assert f"only {len(result.pool)} of 100000 draws" in repr(result)


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_an_interrupt_of_chains_is_not_one_of_the_refinement(monkeypatch, share):
    whole, taken = fitted(monkeypatch)
    result, _ = fitted(monkeypatch, max_time=taken - (1.0 - share) * whole.seconds["chains"])
    assert result.interrupted
    assert "refinement was ended early" not in repr(result)
    assert ("No chains ran, because the fit was ended early" in repr(result)) == (result.chains is None)
