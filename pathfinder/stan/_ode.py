"""Ordinary differential equations through diffrax.

Source: Stan functions reference, "Ordinary differential equation (ODE) solvers". The tolerances are Stan's, the methods
are not all: diffrax has no multistep ones. Two correct solvers agree to their tolerance only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from pathfinder.stan._extras import required
from pathfinder.stan.functions._function import real


@dataclass(frozen=True)
class OdeMethod:
    """How an ODE solver of Stan is run.

    Attributes:
        solver: Name of the method in diffrax.
        tolerance: Default relative and absolute tolerance.
        max_num_steps: Default limit on the number of steps.
    """

    solver: str
    tolerance: float
    max_num_steps: int


ODE_METHODS = {
    "rk45": OdeMethod("Dopri5", 1e-6, 1_000_000),
    "ckrk": OdeMethod("Dopri5", 1e-6, 1_000_000),  # Cash and Karp's pair has the same orders
    "adams": OdeMethod("Dopri8", 1e-10, 100_000_000),  # not stiff, small tolerances: a high order
    "bdf": OdeMethod("Kvaerno5", 1e-10, 100_000_000),  # stiff: implicit and L-stable
}
_MOST_STEPS = 100_000  # memory for the derivative grows with the root of the limit


def solve(
    name: str,
    rhs: Callable[..., Any],
    y0: Any,
    t0: Any,
    ts: Any,
    rel_tol: float | None = None,
    abs_tol: float | None = None,
    max_num_steps: int | None = None,
    args: tuple[Any, ...] = (),
) -> jax.Array:
    """States of an initial value problem at the times `ts`.

    Differentiable in reverse mode in all real arguments, by discretise-then-optimise with checkpoints.

    Args:
        name: Method: `rk45`, `ckrk`, `adams` or `bdf`.
        rhs: `rhs(t, y, *args)` to the derivative of the state.
        y0: State at `t0`.
        t0: Initial time.
        ts: Times, increasing and after `t0`.
        rel_tol: Relative tolerance; by default that of the method.
        abs_tol: Absolute tolerance, likewise.
        max_num_steps: Limit on all steps together, at most 100,000; Stan counts those between two times.
        args: Further arguments of `rhs`.

    Returns:
        States, time by component; NaN where the solver fails.

    Raises:
        ModuleNotFoundError: If diffrax is not installed.
    """
    diffrax = required("diffrax", f"`ode_{name}`")
    method = ODE_METHODS[name]
    y0 = real(y0)
    ts = jnp.asarray(ts, y0.dtype)
    if ts.shape[0] == 0 or y0.shape[0] == 0:
        return jnp.zeros((ts.shape[0], *y0.shape), y0.dtype)
    limit = method.max_num_steps if max_num_steps is None else max_num_steps
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: jnp.asarray(rhs(t, y, *args), y.dtype)),
        getattr(diffrax, method.solver)(),
        jnp.asarray(t0, y0.dtype),
        ts[-1],
        None,
        y0,
        args,
        saveat=diffrax.SaveAt(ts=ts),
        stepsize_controller=diffrax.PIDController(
            rtol=method.tolerance if rel_tol is None else rel_tol,
            atol=method.tolerance if abs_tol is None else abs_tol,
        ),
        max_steps=min(limit, _MOST_STEPS),
        throw=False,
    )
    succeeded = solution.result == diffrax.RESULTS.successful
    return jnp.where(succeeded, solution.ys, jnp.nan)
