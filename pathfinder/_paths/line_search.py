"""A strong Wolfe line search as a state machine: one evaluation, then the next trial step or the end.

That of Stan's BFGS optimizer (Nocedal and Wright 2006, algorithms 3.5 and 3.6), with these departures: sufficient
decrease is tested at the current step length, not at the first one; where rounding hides the decrease, the approximate
Wolfe conditions of Hager and Zhang (2005, section 4) accept; a step out of the region where the density is finite is
shortened faster.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from pathfinder._arrays.namespace import select


SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
SMALLEST_STEP = 1e-12
MAX_EXPANSIONS = 20
MAX_FAILED_EVALUATIONS = 20
MAX_ZOOMS = 40


class LineSearch(NamedTuple):
    """A strong Wolfe search along a direction; `f` is the objective and `slope` its derivative along the direction.

    `low` is the best step so far and the low end of the bracket, `high` the other end (once zooming).
    """

    step: Float[Array, ""]  # the trial step length, to be evaluated next
    first_step: Float[Array, ""]
    slope_at_zero: Float[Array, ""]
    low: Float[Array, ""]
    f_low: Float[Array, ""]
    slope_low: Float[Array, ""]
    high: Float[Array, ""]
    f_high: Float[Array, ""]
    slope_high: Float[Array, ""]
    num_trials: Int[Array, ""]  # expansions, then zooms
    num_failed: Int[Array, ""]  # consecutive evaluations that were not finite
    settles: Bool[Array, ""]  # whether the trial step is the best so far, to be taken without the curvature condition


def new_search(f, slope, first_step) -> LineSearch:
    """A search that has not been evaluated yet."""
    zero, nothing, no = jnp.zeros_like(f), jnp.zeros((), jnp.int32), jnp.zeros((), bool)
    first_step = first_step.astype(f.dtype)
    return LineSearch(first_step, first_step, slope, zero, f, slope, zero, zero, zero, nothing, nothing, no)


class Continued(NamedTuple):
    """A search after the evaluation of its trial step."""

    search: LineSearch
    accepted: Bool[Array, ""]
    failed: Bool[Array, ""]
    zooms: Bool[Array, ""]


def continue_search(search: LineSearch, zooming, f_start, f, slope, finite) -> Continued:
    """Take in the evaluation of the trial step.

    Args:
        search: The search.
        zooming: Whether there is a bracket.
        f_start: The objective where the search began.
        f: The objective at the trial step.
        slope: Its derivative along the direction there.
        finite: Whether these are finite; they are replaced by zeros if not.
    """
    step = search.step
    slope_at_zero = search.slope_at_zero
    eps = jnp.finfo(f.dtype).eps
    decreased = f <= f_start + SUFFICIENT_DECREASE * step * slope_at_zero
    within_rounding = jnp.abs(f - f_start) <= 8 * eps * jnp.maximum(jnp.abs(f), jnp.abs(f_start))
    decreased_by_slope = within_rounding & (slope <= (2 * SUFFICIENT_DECREASE - 1) * slope_at_zero)
    flat_enough = jnp.abs(slope) <= -CURVATURE * slope_at_zero
    # The first trial has nothing yet to be lower than (i > 1 in algorithm 3.5).
    below_low = (f < search.f_low) | ((search.num_trials == 0) & ~zooming)
    good = (decreased & below_low) | decreased_by_slope
    accepted = finite & ((good & flat_enough) | search.settles)

    trial = (step, f, slope)
    low = (search.low, search.f_low, search.slope_low)
    high = (search.high, search.f_high, search.slope_high)
    # Where the trial is no improvement it becomes the high end; otherwise the low end, and the high end stays on the
    # side to which the slope points.
    crossed = jnp.where(zooming, slope * (search.high - search.low) >= 0, slope >= 0)
    new_low = select(good, trial, low)
    new_high = select(good, select(crossed, low, high), trial)
    begins_zoom = ~good | crossed
    zooms = finite & (zooming | begins_zoom)
    num_trials = jnp.where(zooms & ~zooming, 0, search.num_trials + 1)
    next_step = jnp.where(zooms, _zoom_step(new_low, new_high, num_trials), 10.0 * step)
    bracket = jnp.abs(new_high[0] - new_low[0])
    exhausted = jnp.where(
        zooms,
        (num_trials >= MAX_ZOOMS) | (bracket <= 2 * eps * jnp.maximum(new_high[0], new_low[0])),
        num_trials >= MAX_EXPANSIONS,
    )
    moved_on = search._replace(
        step=next_step,
        low=new_low[0],
        f_low=new_low[1],
        slope_low=new_low[2],
        high=new_high[0],
        f_high=new_high[1],
        slope_high=new_high[2],
        num_trials=num_trials,
        num_failed=jnp.zeros_like(search.num_failed),
    )
    # Out of the support: back towards the last good step, faster after a few tries.
    nearer = jnp.where(zooming, jnp.minimum(search.low, search.high), search.low)
    shrink = jnp.where(search.num_failed < 3, 0.5, 0.1)
    retreat = search._replace(step=nearer + shrink * (step - nearer), num_failed=search.num_failed + 1)
    stuck = (retreat.num_failed > MAX_FAILED_EVALUATIONS) | (retreat.step <= SMALLEST_STEP * search.first_step)
    over = jnp.where(finite, ~accepted & exhausted, stuck)
    # At a kink no step satisfies the curvature condition: the best one is evaluated again, for its gradient, and taken.
    following = select(finite, moved_on, retreat)
    lower = f_start - following.f_low > 8 * eps * jnp.abs(f_start)
    settles = over & jnp.where(finite, zooms, zooming) & lower & ~search.settles
    following = following._replace(step=jnp.where(settles, following.low, following.step), settles=settles)
    return Continued(following, accepted, over & ~settles, jnp.where(finite, zooms, zooming))


def _zoom_step(low, high, num_trials):
    """Minimizer of the cubic through both ends of the bracket, or its midpoint (Nocedal and Wright, equation 3.59)."""
    (a, f_a, slope_a), (b, f_b, slope_b) = low, high
    middle = 0.5 * (a + b)
    d1 = slope_a + slope_b - 3 * (f_a - f_b) / jnp.where(a == b, 1.0, a - b)
    square = d1**2 - slope_a * slope_b
    d2 = jnp.sqrt(jnp.maximum(square, 0.0)) * jnp.where(b < a, -1.0, 1.0)
    denominator = slope_b - slope_a + 2 * d2
    cubic = b - (b - a) * (slope_b + d2 - d1) / jnp.where(denominator == 0, 1.0, denominator)
    margin = 0.01 * jnp.abs(b - a)
    inside = (cubic > jnp.minimum(a, b) + margin) & (cubic < jnp.maximum(a, b) - margin)
    # Every fifth trial halves the bracket: cubics can creep towards one end of it for ever.
    use = inside & (square >= 0) & (denominator != 0) & (num_trials % 5 != 4)
    return jnp.where(use, cubic, middle)


def first_trial(search: LineSearch, is_reset, f_change, slope_new, moved, change):
    """First trial step of the next search: 1.01 times the minimizer of a cubic fitted to the last step, at most 1."""
    # After steepest descent the last step is measured in units of the scaled inverse Hessian.
    inner = moved @ change
    unit = jnp.where(is_reset & (inner > 0), (change @ change) / jnp.where(inner > 0, inner, 1.0), 1.0)
    cubic = _cubic_minimizer(search.slope_at_zero / unit, search.step * unit, f_change, slope_new / unit)
    return jnp.minimum(1.0, 1.01 * cubic)


def _cubic_minimizer(slope_0, x_1, f_1, slope_1):
    """Minimizer on [1e-12, 1] of the cubic with value 0 and slope `slope_0` at 0, and `f_1`, `slope_1` at `x_1`."""
    c3 = (-12 * f_1 + 6 * x_1 * (slope_0 + slope_1)) / x_1**3
    c2 = -(4 * slope_0 + 2 * slope_1) / x_1 + 6 * f_1 / x_1**2
    root = jnp.sqrt(jnp.maximum(c2**2 - 2 * slope_0 * c3, 0.0))
    # The stationary points are the roots of c3/2 t^2 + c2 t + slope_0, in the form that does not cancel.
    q = -(c2 + jnp.where(c2 >= 0, 1.0, -1.0) * root)
    stationary = [q / jnp.where(c3 == 0, jnp.nan, c3), 2 * slope_0 / jnp.where(q == 0, jnp.nan, q)]
    ends = [jnp.full_like(x_1, SMALLEST_STEP), jnp.ones_like(x_1)]
    candidates = jnp.stack([*ends, *stationary])
    inside = (candidates >= SMALLEST_STEP) & (candidates <= 1.0) & (c2**2 - 2 * slope_0 * c3 >= 0)
    inside = inside.at[:2].set(True)
    t = jnp.where(inside, candidates, 1.0)
    values = jnp.where(inside, t * (t * (t * c3 / 3 + c2) / 2 + slope_0), jnp.inf)
    return t[jnp.argmin(jnp.where(jnp.isnan(values), jnp.inf, values))]
