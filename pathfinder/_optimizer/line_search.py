"""A strong Wolfe line search as a state machine: one evaluation, then the next trial step or the end.

That of Stan's BFGS optimizer (Nocedal and Wright 2006, algorithms 3.5 and 3.6), with these departures: sufficient
decrease is tested at the current step length, not at the first one; where rounding hides the decrease, the approximate
Wolfe conditions of Hager and Zhang (2005, section 4) accept; a step out of the region where the density is finite is
shortened faster.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._arrays.namespace import Array, either, finfo_eps, namespace


SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
SMALLEST_STEP = 1e-12
MAX_EXPANSIONS = 20
MAX_FAILED_EVALUATIONS = 20
MAX_ZOOMS = 40

_IS_END = np.array([[True], [True], [False], [False]])  # of the candidates for the minimum of a cubic


class LineSearch(NamedTuple):
    """Strong Wolfe searches of all lanes.

    `low` is the best step so far and the low end of the bracket, `high` the other end (once zooming): the length of the
    step, the objective there, and its derivative along the direction.
    """

    step: Float[Array, " lane"]  # the trial step length, to be evaluated next
    first_step: Float[Array, " lane"]
    slope_at_zero: Float[Array, " lane"]
    low: Float[Array, "lane 3"]
    high: Float[Array, "lane 3"]
    num_trials: Int[Array, " lane"]  # expansions, then zooms
    num_failed: Int[Array, " lane"]  # consecutive evaluations that were not finite
    settles: Bool[Array, " lane"]  # the trial step is the best so far, to be taken without the curvature condition


def new_search(f, slope, first_step) -> LineSearch:
    """Searches that have not been evaluated yet, where the objective is `f` and its derivative is `slope`."""
    xp = namespace(f)
    zero, nothing, no = xp.zeros(f.shape, f.dtype), xp.zeros(f.shape, xp.int32), xp.zeros(f.shape, bool)
    low, high = _end(zero, f, slope), xp.zeros((*f.shape, 3), f.dtype)
    return LineSearch(first_step, first_step, slope, low, high, nothing, nothing, no)


def _end(step, f, slope) -> Float[Array, "lane 3"]:
    return namespace(f).array((step, f, slope)).T


class Evaluation(NamedTuple):
    """What is known at the trial steps.

    Args:
        zooming: Whether there is a bracket.
        f_start: The objective where the search began.
        f: The objective at the trial step.
        slope: Its derivative along the direction there.
        finite: Whether these are finite; they are replaced by zeros if not.
    """

    zooming: Bool[Array, " lane"]
    f_start: Float[Array, " lane"]
    f: Float[Array, " lane"]
    slope: Float[Array, " lane"]
    finite: Bool[Array, " lane"]


class Judged(NamedTuple):
    """What the evaluation of the trial steps says of them."""

    good: Bool[Array, " lane"]  # it is the best so far, and decreases the objective enough
    accepted: Bool[Array, " lane"]  # it ends the search


def judged(search: LineSearch, evaluation: Evaluation) -> Judged:
    """Whether the trial step of each lane is taken."""
    zooming, f_start, f, slope, finite = evaluation
    xp = namespace(f)
    slope_at_zero = search.slope_at_zero
    decreased = f <= f_start + SUFFICIENT_DECREASE * search.step * slope_at_zero
    within_rounding = xp.abs(f - f_start) <= 8 * finfo_eps(f.dtype) * xp.maximum(xp.abs(f), xp.abs(f_start))
    decreased_by_slope = within_rounding & (slope <= (2 * SUFFICIENT_DECREASE - 1) * slope_at_zero)
    flat_enough = xp.abs(slope) <= -CURVATURE * slope_at_zero
    # The first trial has nothing yet to be lower than (i > 1 in algorithm 3.5).
    below_low = (f < search.low[:, 1]) | ((search.num_trials == 0) & ~zooming)
    good = (decreased & below_low) | decreased_by_slope
    return Judged(good, finite & ((good & flat_enough) | search.settles))


class Continued(NamedTuple):
    """Searches whose trial steps were not taken."""

    search: LineSearch
    failed: Bool[Array, " lane"]
    zooms: Bool[Array, " lane"]


def continue_search(search: LineSearch, good: Bool[Array, " lane"], evaluation: Evaluation) -> Continued:
    """The next trial step of every lane whose search goes on; `good` as in `Judged`."""
    zooming, f_start, f, slope, finite = evaluation
    xp = namespace(f)
    eps = finfo_eps(f.dtype)
    # Where the trial is no improvement it becomes the high end; otherwise the low end, and the high end stays on the
    # side to which the slope points.
    crossed = slope * xp.where(zooming, search.high[:, 0] - search.low[:, 0], 1.0) >= 0
    zooms = zooming | (finite & ~(good & ~crossed))

    def moved_on():
        trial = _end(search.step, f, slope)
        low = xp.where(good[:, None], trial, search.low)
        high = xp.where(good[:, None], xp.where(crossed[:, None], search.low, search.high), trial)
        num_trials = xp.where(zooms & ~zooming, 0, search.num_trials + 1)
        next_step = either(zooms, lambda: _zoom_step(low, high, num_trials), lambda: 10.0 * search.step)
        bracket = xp.abs(high[:, 0] - low[:, 0])
        closed = zooms & (bracket <= 2 * eps * xp.maximum(high[:, 0], low[:, 0]))
        exhausted = closed | (num_trials >= xp.where(zooms, MAX_ZOOMS, MAX_EXPANSIONS))
        none_failed = xp.zeros(f.shape, xp.int32)
        return search._replace(
            step=next_step, low=low, high=high, num_trials=num_trials, num_failed=none_failed
        ), exhausted

    def retreated():
        # Out of the support: back towards the last good step, faster after a few tries.
        low = search.low[:, 0]
        nearer = xp.where(zooming, xp.minimum(low, search.high[:, 0]), low)
        shrink = xp.where(search.num_failed < 3, 0.5, 0.1).astype(f.dtype)
        step, num_failed = nearer + shrink * (search.step - nearer), search.num_failed + 1
        stuck = (num_failed > MAX_FAILED_EVALUATIONS) | (step <= SMALLEST_STEP * search.first_step)
        return search._replace(step=step, num_failed=num_failed), stuck

    following, over = either(finite, moved_on, retreated)
    # At a kink no step satisfies the curvature condition: the best one is evaluated again, for its gradient, and taken.
    lower = f_start - following.low[:, 1] > 8 * eps * xp.abs(f_start)
    settles = over & zooms & lower & ~search.settles
    step = either(settles, lambda: following.low[:, 0], lambda: following.step)
    return Continued(following._replace(step=step, settles=settles), over & ~settles, zooms)


def _zoom_step(low, high, num_trials):
    """Minimizer of the cubic through both ends of the bracket, or its midpoint (Nocedal and Wright, equation 3.59)."""
    xp = namespace(low)
    (a, f_a, slope_a), (b, f_b, slope_b) = low.T, high.T
    middle = 0.5 * (a + b)
    d1 = slope_a + slope_b - 3 * (f_a - f_b) / xp.where(a == b, 1.0, a - b)
    square = d1**2 - slope_a * slope_b
    d2 = xp.sqrt(xp.maximum(square, 0.0)) * xp.where(b < a, -1.0, 1.0).astype(a.dtype)
    denominator = slope_b - slope_a + 2 * d2
    cubic = b - (b - a) * (slope_b + d2 - d1) / xp.where(denominator == 0, 1.0, denominator)
    margin = 0.01 * xp.abs(b - a)
    inside = (cubic > xp.minimum(a, b) + margin) & (cubic < xp.maximum(a, b) - margin)
    # Every fifth trial halves the bracket: cubics can creep towards one end of it for ever.
    use = inside & (square >= 0) & (denominator != 0) & (num_trials % 5 != 4)
    return xp.where(use, cubic, middle)


def first_trial(search: LineSearch, is_reset, f_change, slope_new, moved, change):
    """First trial step of the next search: 1.01 times the minimizer of a cubic fitted to the last step, at most 1."""
    xp = namespace(moved)
    # After steepest descent the last step is measured in units of the scaled inverse Hessian.
    inner = xp.vecdot(moved, change)
    unit = either(
        is_reset & (inner > 0),
        lambda: xp.vecdot(change, change) / xp.where(inner > 0, inner, 1.0),
        lambda: xp.ones(inner.shape, inner.dtype),
    )
    cubic = _cubic_minimizer(search.slope_at_zero / unit, search.step * unit, f_change, slope_new / unit)
    return xp.minimum(1.0, 1.01 * cubic)


def _cubic_minimizer(slope_0, x_1, f_1, slope_1):
    """Minimizer on [1e-12, 1] of the cubic with value 0 and slope `slope_0` at 0, and `f_1`, `slope_1` at `x_1`."""
    xp = namespace(x_1)
    c3 = (-12 * f_1 + 6 * x_1 * (slope_0 + slope_1)) / x_1**3
    c2 = -(4 * slope_0 + 2 * slope_1) / x_1 + 6 * f_1 / x_1**2
    square = c2**2 - 2 * slope_0 * c3
    root = xp.sqrt(xp.maximum(square, 0.0))
    # The stationary points are the roots of c3/2 t^2 + c2 t + slope_0, in the form that does not cancel.
    q = -(c2 + xp.copysign(root, c2))
    stationary = [q / xp.where(c3 == 0, xp.nan, c3), 2 * slope_0 / xp.where(q == 0, xp.nan, q)]
    ends = xp.full(x_1.shape, SMALLEST_STEP, x_1.dtype), xp.ones(x_1.shape, x_1.dtype)
    t = xp.array((*ends, *stationary))
    exists = (t >= SMALLEST_STEP) & (t <= 1.0) & ((square >= 0)[None, :] | _IS_END)
    t = xp.where(exists, t, 1.0)
    value = t * (t * (t * c3[None, :] / 3 + c2[None, :]) / 2 + slope_0[None, :])
    best = xp.argmin(xp.where(exists & (value < xp.inf), value, xp.inf), axis=0)
    return t[best, xp.arange(len(x_1))]
