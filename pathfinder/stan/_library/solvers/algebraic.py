"""Systems of algebraic equations through optimistix.

Source: Stan functions reference, "Algebraic equation solvers".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from pathfinder._optional_packages import required
from pathfinder.stan._library.functions.function import real


FUNCTION_TOLERANCE = 1e-6  # Stan's defaults
MAX_NUM_STEPS = 200
REL_TOLERANCE = 1e-10


def solve_algebraic(
    name: str,
    system: Callable[..., Any],
    guess: Any,
    rel_tol: float | None = None,
    function_tolerance: float = FUNCTION_TOLERANCE,
    max_num_steps: int = MAX_NUM_STEPS,
    args: tuple[Any, ...] = (),
) -> jax.Array:
    """Root of a system of equations, with derivatives by the implicit function theorem.

    Args:
        name: Method: `newton`, or `powell` for the dogleg method.
        system: `system(y, *args)` to the residuals, as many as unknowns.
        guess: First guess; nothing is differentiated through it.
        rel_tol: Relative tolerance of the root, 1e-10 by default.
        function_tolerance: Largest absolute residual that counts as zero.
        max_num_steps: Limit on the number of steps.
        args: Further arguments of `system`.

    Returns:
        The root; NaN where none is found.

    Raises:
        ModuleNotFoundError: If optimistix is not installed.
    """
    optimistix = required("optimistix", f"`solve_{name}` needs", "stan")
    guess = jax.lax.stop_gradient(real(guess))
    tolerance = max(REL_TOLERANCE if rel_tol is None else rel_tol, 4 * float(jnp.finfo(guess.dtype).eps))
    method = {"newton": optimistix.Newton, "powell": optimistix.Dogleg}[name]
    solution = optimistix.root_find(
        lambda y, args: jnp.asarray(system(y, *args), y.dtype),
        method(rtol=tolerance, atol=tolerance),
        guess,
        args,
        max_steps=max_num_steps,
        throw=False,
    )
    root = solution.value
    residuals = jax.lax.stop_gradient(jnp.asarray(system(root, *args)))
    return jnp.where(jnp.all(jnp.abs(residuals) <= function_tolerance), root, jnp.nan)
