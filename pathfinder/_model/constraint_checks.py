"""Constraints as users give them, and the mistakes in them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jax.core import Tracer

from pathfinder._close_names import close_name


def checked_constraints(constraints: Any) -> dict[str, Any]:
    """Constraints by variable name.

    Raises:
        ValueError: If they are no dictionary.
    """
    if constraints is None:
        return {}
    if not isinstance(constraints, Mapping):
        raise ValueError(
            f"`constraints` must be a dictionary by parameter name, but {constraints!r} was given. Give for instance "
            '{"sigma": pathfinder.constraints.positive}.'
        )
    return dict(constraints)


def check_constraint(name: str, constraint: Any) -> None:
    """Check that something is a constraint that can be met.

    Raises:
        ValueError: If it is none, for instance its name, or its bounds leave no room.
    """
    if constraint is None:
        return
    from numpyro.distributions import constraints as known  # loaded for those who have constraints

    if isinstance(constraint, str):
        near = close_name(constraint, [own for own in dir(known) if not own.startswith("_")])
        raise ValueError(
            f"The constraint of parameter '{name}' is the string {constraint!r}; give the object"
            + (f" pathfinder.constraints.{near}." if near else ", for instance pathfinder.constraints.positive.")
        )
    if not isinstance(constraint, known.Constraint):
        raise ValueError(
            f"The constraint of parameter '{name}' is {constraint!r}, but must be one of pathfinder.constraints, for "
            "instance pathfinder.constraints.positive or pathfinder.constraints.interval(0, 1)."
        )
    lower, upper = (getattr(constraint, bound, None) for bound in ("lower_bound", "upper_bound"))
    try:
        check_bounds(lower, upper)
    except ValueError as error:
        raise ValueError(f"The constraint of parameter '{name}': {error}") from None


def check_bounds(lower: Any, upper: Any) -> None:
    """Check that bounds are numbers with room between them; None is no bound.

    Raises:
        ValueError: If a bound is not finite, or one pair has a lower bound that is not below the upper one.
    """
    values = {side: bound for side, bound in (("lower", lower), ("upper", upper)) if bound is not None}
    if any(isinstance(bound, Tracer) for bound in values.values()):
        return
    numbers = {side: _numbers(side, bound) for side, bound in values.items()}
    for side, bound in values.items():
        if not np.all(np.isfinite(numbers[side])):
            raise ValueError(
                f"the {side} bound is {bound}, but must be finite. Where there is no bound, use greater_than(lower), "
                "less_than(upper) or real."
            )
    if len(values) == 2 and not np.all(numbers["lower"] < numbers["upper"]):
        raise ValueError(f"the lower bound {lower} is not below the upper bound {upper}. Give interval(lower, upper).")


def check_interval(lower: Any, upper: Any) -> None:
    """Check the two bounds of an interval, as `check_bounds`; None is no number.

    Raises:
        ValueError: If a bound is missing or not finite, or one pair has a lower bound that is not below the upper one.
    """
    for side, bound in (("lower", lower), ("upper", upper)):
        if bound is None:
            raise ValueError(
                f"the {side} bound is None, but an interval has two. With one bound use greater_than(lower) or "
                "less_than(upper)."
            )
    check_bounds(lower, upper)


def _numbers(side: str, bound: Any) -> np.ndarray:
    try:
        if np.asarray(bound).dtype.kind in "USO":
            raise TypeError
        return np.asarray(bound, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"the {side} bound is {bound!r}, but must be a number or an array of numbers.") from None
