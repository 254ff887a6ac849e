"""Elementwise transforms: lower and upper bounds, offset and multiplier.

Source: Stan reference manual, "Constraint Transforms". A bound is None where it is not declared; one that is infinite
leaves the other, element by element.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.functions.function import known
from pathfinder.stan._library.transforms.transform import Rule, check_rules, rules_satisfied
from pathfinder.stan._values.lanes import entering


def _finite(bound: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The bound with zeros where it is infinite or missing, and where it is neither.

    The second is True or False where that is known of all elements, so that nothing is selected.
    """
    if bound is None:
        return 0.0, False
    xp = np if known(bound) else jnp
    finite = xp.broadcast_to(xp.isfinite(bound), shape)
    if known(bound):
        if np.all(finite):
            return entering(bound), True
        if not np.any(finite):
            return 0.0, False
    return xp.where(finite, bound, 0.0), finite


def _select(condition: Any, one: Any, other: Any) -> Any:
    if isinstance(condition, bool):
        return one() if condition else other()
    return jnp.where(condition, one(), other())


def constrain_bounded(free: Any, lower: Any = None, upper: Any = None) -> tuple[jax.Array, jax.Array]:
    """Values between bounds, and the logarithm of the absolute Jacobian determinant.

    Args:
        free: Free values, in the shape of the variable.
        lower: Lower bounds that broadcast to that shape, or None.
        upper: Upper bounds, as `lower`.
    """
    free = jnp.asarray(free)
    low, has_low = _finite(lower, free.shape)
    high, has_high = _finite(upper, free.shape)

    def pair():
        width = _select(_both(has_low, has_high), lambda: high - low, lambda: jnp.ones_like(free))
        size = jnp.abs(free)
        return low + width * jax.nn.sigmoid(free), jnp.log(width) - size - 2 * jnp.log1p(jnp.exp(-size))

    def one(has_one, value):
        return _selected_pair(has_one, lambda: (value(), free), lambda: (free, jnp.zeros_like(free)))

    def single():
        return _selected_pair(
            has_low, lambda: (low + jnp.exp(free), free), lambda: one(has_high, lambda: high - jnp.exp(free))
        )

    value, log_jacobian = _selected_pair(_both(has_low, has_high), pair, single)
    return value, jnp.sum(log_jacobian)


def _both(one: Any, other: Any) -> Any:
    if one is False or other is False:
        return False
    if one is True or other is True:
        return other if one is True else one
    return one & other


def _selected_pair(condition: Any, one: Any, other: Any) -> tuple[Any, Any]:
    if isinstance(condition, bool):
        return one() if condition else other()
    first, second = one(), other()
    return jnp.where(condition, first[0], second[0]), jnp.where(condition, first[1], second[1])


def free_of_bounded(xp: ModuleType, value: Any, lower: Any = None, upper: Any = None) -> Any:
    """Inverse of `constrain_bounded` for values within the bounds; infinite for a value on a bound."""
    low = xp.broadcast_to(xp.asarray(-xp.inf if lower is None else lower, value.dtype), value.shape)
    high = xp.broadcast_to(xp.asarray(xp.inf if upper is None else upper, value.dtype), value.shape)
    has_low, has_high = xp.isfinite(low), xp.isfinite(high)
    above = xp.log(xp.where(has_low, value - low, 1.0))
    below = xp.log(xp.where(has_high, high - value, 1.0))
    return xp.where(has_low & has_high, above - below, xp.where(has_low, above, xp.where(has_high, below, value)))


def unconstrain_bounded(value: Any, lower: Any = None, upper: Any = None) -> np.ndarray:
    """`free_of_bounded` on NumPy values.

    Raises:
        ValueError: If a value is outside of its bounds.
    """
    check_bounded(value, lower, upper)
    with np.errstate(all="ignore"):
        return free_of_bounded(np, np.asarray(value, float), lower, upper)


def _bound_rules(xp: ModuleType, value: Any, lower: Any, upper: Any) -> Iterator[Rule]:
    if lower is not None:
        yield "The value must not be below the lower bound", _excess(xp, lower, value), 0.0
    if upper is not None:
        yield "The value must not be above the upper bound", _excess(xp, value, upper), 0.0


def _excess(xp: ModuleType, larger: Any, smaller: Any) -> Any:
    """By how much the first is larger; equal infinities are equal."""
    larger, smaller = xp.broadcast_arrays(larger, smaller)
    within = larger <= smaller
    return xp.where(within, 0.0, xp.where(within, 0.0, larger) - xp.where(within, 0.0, smaller))


def check_bounded(value: Any, lower: Any = None, upper: Any = None) -> None:
    """Check that values are within bounds.

    Raises:
        ValueError: If one is not; tells which bound, where and by how much.
    """
    check_rules(_bound_rules(np, np.asarray(value), lower, upper))


def satisfied_bounded(value: Any, lower: Any = None, upper: Any = None) -> jax.Array:
    """Whether all values are within bounds, as a traced boolean."""
    return rules_satisfied(_bound_rules(jnp, value, lower, upper))


def constrain_scaled(free: Any, offset: Any = None, multiplier: Any = None) -> tuple[jax.Array, jax.Array]:
    """`offset + multiplier * free` and the logarithm of the absolute Jacobian determinant.

    A multiplier that is not positive gives NaN.
    """
    free = jnp.asarray(free)
    value, log_jacobian = free, jnp.zeros((), free.dtype)
    if multiplier is not None:
        multiplier = jnp.asarray(entering(multiplier), free.dtype)
        value = value * multiplier
        log_jacobian = jnp.sum(jnp.broadcast_to(jnp.log(multiplier), free.shape))
    if offset is not None:
        value = value + entering(offset)
    return value, log_jacobian


def unconstrain_scaled(value: Any, offset: Any = None, multiplier: Any = None) -> np.ndarray:
    """Inverse of `constrain_scaled` on NumPy values.

    Raises:
        ValueError: If a multiplier is not positive.
    """
    scale = np.asarray(1.0 if multiplier is None else multiplier)
    if not np.all(scale > 0):
        raise ValueError(f"The multiplier must be positive, got {scale.min():.6g}.")
    return (np.asarray(value, float) - (0.0 if offset is None else offset)) / scale
