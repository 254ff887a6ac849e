"""Ordinary differential equations.

Source: Stan functions reference, "Ordinary differential equation (ODE) solvers". The tolerances are Stan's, the methods
are not all: there are no multistep ones. Two correct solvers agree to their tolerance only.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from pathfinder._arrays.namespace import namespace
from pathfinder._arrays.traces import expecting
from pathfinder._optional_packages import required
from pathfinder.stan._library.functions.function import real
from pathfinder.stan._library.solvers.ode_sensitivities import states
from pathfinder.stan._library.solvers.ode_steps import DEFAULT_LIMITS, DerivativeLimits, Method
from pathfinder.stan._library.solvers.runge_kutta import DOP853, DORMAND_PRINCE, Tableau


@dataclass(frozen=True)
class OdeMethod:
    """How an ODE solver of Stan is run.

    Attributes:
        tableau: The explicit method; `None` for the implicit one, which is diffrax's.
        tolerance: Default relative and absolute tolerance.
        max_num_steps: Default limit on the number of steps between two times.
    """

    tableau: Tableau | None
    tolerance: float
    max_num_steps: int


ODE_METHODS = {
    "rk45": OdeMethod(DORMAND_PRINCE, 1e-6, 1_000_000),
    "ckrk": OdeMethod(DORMAND_PRINCE, 1e-6, 1_000_000),  # Cash and Karp's pair has the same orders
    "adams": OdeMethod(DOP853, 1e-10, 100_000_000),  # not stiff, small tolerances: a high order
    "bdf": OdeMethod(None, 1e-10, 100_000_000),  # stiff: implicit and L-stable
}
_MOST_STEPS = 100_000
_STEPS_AT_TOLERANCE_ONE = 3.0  # expected beside those that land on times; they grow as the order of a method says


def solve_ode(
    name: str,
    rhs: Callable[..., Any],
    y0: Any,
    t0: Any,
    ts: Any,
    rel_tol: float | None = None,
    abs_tol: float | None = None,
    max_num_steps: int | None = None,
    args: tuple[Any, ...] = (),
    limits: DerivativeLimits = DEFAULT_LIMITS,
) -> jax.Array:
    """States of an initial value problem at the times `ts`.

    Differentiable in reverse mode in all real arguments. The derivatives are those of the discretised solution.

    Args:
        name: Method: `rk45`, `ckrk`, `adams` or `bdf`.
        rhs: `rhs(t, y, *args)` to the derivative of the state, which sees traced values only as its arguments.
        y0: State at `t0`.
        t0: Initial time.
        ts: Times after `t0`, none less than the one before.
        rel_tol: Relative tolerance; by default that of the method.
        abs_tol: Absolute tolerance, likewise.
        max_num_steps: Limit on the steps between two times, at most 100,000; those of `bdf` are counted together.
        args: Further arguments of `rhs`.
        limits: Which way derivatives are taken; for all methods but `bdf`.

    Returns:
        States, time by component; NaN where the solver fails, where times are not in order, and where anything that it
        is given is not finite.

    Raises:
        ModuleNotFoundError: If `bdf` is asked for and diffrax is not installed.
    """
    method = ODE_METHODS[name]
    num_directions = sum(int(np.size(x)) for x in jax.tree.leaves((y0, args)) if isinstance(x, Tracer))
    y0 = real(y0)
    ts = jnp.asarray(ts, y0.dtype)
    t0 = jnp.asarray(t0, y0.dtype)
    if ts.shape[0] == 0 or y0.shape[0] == 0:
        return jnp.zeros((ts.shape[0], *y0.shape), y0.dtype)
    rel_tol = method.tolerance if rel_tol is None else rel_tol
    abs_tol = method.tolerance if abs_tol is None else abs_tol
    limit = min(method.max_num_steps if max_num_steps is None else max_num_steps, _MOST_STEPS)
    if method.tableau is None:
        return _implicit(rhs, y0, t0, ts, rel_tol, abs_tol, limit, args)
    # no step is tried where times are NaN
    ts = jnp.where(all_finite(y0, args), ts, jnp.nan)
    finest = 8 * float(jnp.finfo(y0.dtype).eps)
    how = Method(method.tableau, max(rel_tol, finest), abs_tol, limit, limits)
    with expecting(_expected_steps(how, len(ts), num_directions)):
        return states(how, rhs, y0, t0, ts, args)


def _expected_steps(method: Method, num_times: int, num_directions: int) -> int:
    """About how many steps there are, where those of the derivatives in each direction count as well.

    Of equations of Lotka and Volterra, of epidemics, of oscillations and decays over a few periods, with tolerances
    from 1e-4 to 1e-10, there were 0.3 to 1.2 times as many. With more directions than are integrated beside the state
    the way back costs no more.
    """
    steps = num_times + _STEPS_AT_TOLERANCE_ONE * method.rel_tol ** (-1 / method.tableau.exponent)
    return round(steps) * (1 + min(num_directions, method.limits.most_directions))


def all_finite(*values: Any) -> Any:
    """Whether all numbers are finite."""
    leaves = [leaf for leaf in jax.tree.leaves(values) if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)]
    xp = namespace(*leaves)  # of data nothing is compiled
    result: Any = xp.asarray(True)
    for leaf in leaves:
        result = xp.logical_and(result, xp.all(xp.isfinite(leaf)))
    return result


def in_order(times: Any) -> Any:
    """Whether no time is less than the one before."""
    xp = namespace(times)
    times = xp.asarray(times)
    return xp.all(times[1:] >= times[:-1])


def is_before(start: Any, times: Any) -> Any:
    """Whether a time is less than the first of others."""
    xp = namespace(start, times)
    return xp.asarray(start) < xp.asarray(times)[0]


def _implicit(
    rhs: Callable[..., Any], y0: Any, t0: Any, ts: Any, rel_tol: float, abs_tol: float, limit: int, args: Any
):
    diffrax = required("diffrax", "`ode_bdf` needs", "stan")

    def solution():
        possible = all_finite(y0, t0, ts, args) & (t0 < ts[0]) & in_order(ts)
        # diffrax ends the program where times are not in order, so that others take their place
        start = jnp.where(possible, t0, 0.0)
        times = jnp.where(possible, ts, 0.0)
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, args: jnp.asarray(rhs(t, y, *args), y.dtype)),
            diffrax.Kvaerno5(),
            start,
            times[-1],
            None,
            y0,
            args,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol=rel_tol, atol=abs_tol),
            max_steps=limit,
            throw=False,
        )
        return jnp.where(possible & (found.result == diffrax.RESULTS.successful), found.ys, jnp.nan)

    if any(isinstance(leaf, Tracer) for leaf in jax.tree_util.tree_leaves((y0, t0, ts, args))):
        return solution()
    # Known values are evaluated while something else is traced. There the checks of equinox fail on good values, too
    # (0.13), so this is done in a thread where nothing is traced.
    x64 = jax.dtypes.canonicalize_dtype(np.float64) == np.float64
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_with_x64, x64, solution).result()


def _with_x64(x64: bool, function: Callable[[], Any]) -> Any:
    with jax.enable_x64(x64):
        return function()
