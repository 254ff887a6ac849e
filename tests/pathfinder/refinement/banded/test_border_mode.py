"""The border's marginal density, where it is known: Laplace's approximation is exact of a normal chain."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._refinement.banded.border_mode import border_mode
from pathfinder._refinement.banded.curvatures import BudgetSpentError, PatternDensity
from tests.pathfinder.refinement.banded.walks import Walk


WALK = Walk(40)


def density(kind=HostDensity, **options):
    return PatternDensity(kind(WALK.log_density, WALK.dim, np.float64), WALK.pattern, **options)


@pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])
def test_mode_and_curvature_are_exact(kind):
    found = border_mode(density(kind), np.zeros(WALK.dim))
    best = minimize_scalar(lambda own: -WALK.log_marginal(own), bracket=(-2.0, 0.0))
    assert found.at.mode.point[-1] == pytest.approx(best.x, abs=0.1)
    own = found.at.mode.point[-1]
    values = [WALK.log_marginal(own + step) for step in (-1e-3, 0.0, 1e-3)]
    assert found.at.gradient[0] == pytest.approx((values[2] - values[0]) / 2e-3, abs=1e-4)
    # By differences a third of a standard deviation wide.
    assert found.curvature[0, 0] == pytest.approx(-(values[0] - 2 * values[1] + values[2]) / 1e-6, rel=0.05)
    with_constant = found.at.value + 0.5 * WALK.length * np.log(2 * np.pi)
    assert with_constant == pytest.approx(
        values[1] - 0.5 * np.log(2 * np.pi), abs=1e-4
    )  # what the mode of the chain lacks


def test_the_slope_of_the_chain_is_that_of_its_mode():
    found = border_mode(density(), np.zeros(WALK.dim)).at
    place = found.mode.point[-1]
    modes = []
    for own in (place - 1e-4, place + 1e-4):
        prior = np.exp(2 * own) * WALK.kernel
        modes.append(prior @ np.linalg.solve(prior + 0.25 * np.eye(WALK.length), WALK.y))
    np.testing.assert_allclose(found.slopes[:, 0], (modes[1] - modes[0]) / 2e-4, atol=1e-2)


def test_a_budget_ends_it():
    with pytest.raises(BudgetSpentError):
        border_mode(density(max_gradients=30.0), np.zeros(WALK.dim))


def test_where_there_is_no_density_there_is_no_mode():
    assert border_mode(density(), np.full(WALK.dim, np.nan)) is None


def test_single_precision_is_close():
    own = PatternDensity(HostDensity(WALK.log_density, WALK.dim, np.float32), WALK.pattern)
    found = border_mode(own, np.zeros(WALK.dim))
    best = minimize_scalar(lambda place: -WALK.log_marginal(place), bracket=(-2.0, 0.0))
    assert found.at.mode.point[-1] == pytest.approx(best.x, abs=0.15)
