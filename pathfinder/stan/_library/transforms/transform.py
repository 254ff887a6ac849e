"""What a constraining transform is, and how its constraint is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


Rule = tuple[str, Any, Any]
"""What is demanded, by how much each element misses it (zero or negative if it does not), and what is allowed."""


@dataclass(frozen=True)
class Transform:
    """Constrained values of one type from free ones and back; sizes are those of the declaration.

    Attributes:
        free_size: `(*sizes)` to the number of free values.
        from_free: `(free, *sizes)` to the value and the logarithm of the absolute Jacobian determinant.
        to_free: Its inverse, `(namespace, value, *sizes)`, for values that fulfil the constraint.
        rules: `(namespace, value)` to what the constraint demands.
    """

    free_size: Callable[..., int]
    from_free: Callable[..., tuple[jax.Array, jax.Array]]
    to_free: Callable[..., Any]
    rules: Callable[[ModuleType, Any], Iterator[Rule]]

    def constrain(self, free: Any, *sizes: int) -> tuple[jax.Array, jax.Array]:
        """Value and logarithm of the absolute Jacobian determinant, for one instance."""
        return self.from_free(jnp.asarray(free), *sizes)

    def check(self, value: Any) -> None:
        """Check that a value fulfils the constraint, with Stan's tolerance.

        Raises:
            ValueError: If it does not; tells what is violated, where and by how much.
        """
        check_rules(self.rules(np, np.asarray(value, float)))

    def satisfied(self, value: Any) -> jax.Array:
        """Whether a value fulfils the constraint, as a traced boolean."""
        return rules_satisfied(self.rules(jnp, value))

    def unconstrain(self, value: Any, *sizes: int) -> np.ndarray:
        """Free values of a constrained one; infinite on the edge of the constraint.

        Raises:
            ValueError: As `check`.
        """
        self.check(value)
        with np.errstate(all="ignore"):
            return np.asarray(self.to_free(np, np.asarray(value, float), *sizes), float)


def check_rules(rules: Iterator[Rule]) -> None:
    """Raise a ValueError for the first rule that is violated, at the element that violates it most."""
    for demand, amounts, allowed in rules:
        amounts = np.asarray(amounts)
        if not np.all(amounts <= allowed):
            worst = np.unravel_index(np.argmax(np.where(np.isnan(amounts), np.inf, amounts)), amounts.shape)
            where = f" (element [{', '.join(str(i + 1) for i in worst)}])" if amounts.ndim else ""
            missed = "but is not a number" if np.isnan(amounts[worst]) else f"missed by {amounts[worst]:.6g}"
            raise ValueError(f"{demand}{where}, {missed}.")


def rules_satisfied(rules: Iterator[Rule]) -> jax.Array:
    """Whether all rules hold, as a traced boolean."""
    satisfied = jnp.asarray(True)
    for _, amounts, allowed in rules:
        satisfied = satisfied & jnp.all(amounts <= allowed)
    return satisfied
