"""Generated quantities of a draw, and what is said of draws that the program rejects."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._arrays.placed import default_dtype
from pathfinder._variables import Block
from pathfinder.stan._program.columns import Slot
from pathfinder.stan._program.program import BoundProgram
from pathfinder.stan._program.record import Record, Types, numbers, parts
from pathfinder.stan._program.traced import Traced, trace
from pathfinder.stan._state.errors import StanEvaluationError, StanRejectError


_REJECTED, _KEY, _POSITION = "rejected__", "key__", "position__"  # names that no variable of a program has


@dataclass(frozen=True)
class TracedQuantities:
    """Generated quantities as a JAX function; equal to others that compute the same.

    Attributes:
        traced: What gives their arrays, and last whether the draw is rejected.
        names: Names of the arrays.
        may_reject: Whether the program can reject draws.
    """

    traced: Traced
    names: tuple[str, ...]
    may_reject: bool

    def __call__(self, key, position, data):
        """Arrays by name; with those that `RejectionWarning` needs."""
        *arrays, rejected = self.traced(data["generate"], key, position)
        named = dict(zip(self.names, arrays, strict=True))
        return named | _origin(rejected, key, position) if self.may_reject else named


def traced_quantities(
    bound: BoundProgram, types: Types
) -> tuple[TracedQuantities, tuple[jax.Array, ...], list[tuple[Slot, Block]]]:
    """Generated quantities as a JAX function, the arrays of data that it takes, and the variables that it gives.

    Raises:
        StanEvaluationError: If they cannot be traced.
    """
    accepted: Any = True

    def values(key, position):
        nonlocal accepted
        quantities, accepted = bound.generated(key, position)
        return quantities

    record = Record(values, types)

    def arrays(key, position):
        return [*record(key, position), jnp.logical_not(accepted)]

    traced, data = trace(arrays, jax.eval_shape(jax.random.key, 0), jax.ShapeDtypeStruct((bound.dim,), default_dtype()))
    return TracedQuantities(traced, record.names, accepted is not True), data, record.variables


@dataclass(frozen=True, eq=False)
class HostQuantities:
    """Generated quantities that JAX cannot trace, computed by the same evaluator on NumPy values."""

    bound: BoundProgram
    types: Types

    def variables(self) -> list[tuple[Slot, Block]]:
        """The arrays that they are made of."""
        return parts(self.bound.unassigned(), self.types)

    def __call__(self, key, position, data):
        """Arrays by name; with those that `RejectionWarning` needs."""
        shapes = {
            name: jax.ShapeDtypeStruct(np.shape(number), jnp.asarray(number).dtype)
            for name, number in numbers(self.bound.unassigned(), self.types).items()
        }
        shapes[_REJECTED] = jax.ShapeDtypeStruct((), bool)
        values = jax.pure_callback(self._on_host, shapes, jax.random.key_data(key), position, vmap_method="sequential")
        return values | _origin(values[_REJECTED], key, position)

    def is_possible(self) -> bool:
        """Whether they can be computed at the origin."""
        try:
            self.bound.generated_on_host(jax.random.key(0), np.zeros(self.bound.dim))
        except StanRejectError:
            return True
        except StanEvaluationError:
            return False
        return True

    def _on_host(self, key_data, position):
        """The arrays of one draw; where the program fails they are as yet unassigned, that is NaN, as in Stan."""
        try:
            with jax.ensure_compile_time_eval():
                key = jax.random.wrap_key_data(key_data)
                values, rejected = self.bound.generated_on_host(key, np.asarray(position)), False
        except StanEvaluationError:
            values, rejected = self.bound.unassigned(), True
        arrays = {
            name: np.asarray(number, jnp.asarray(number).dtype) for name, number in numbers(values, self.types).items()
        }
        return arrays | {_REJECTED: np.asarray(rejected)}


def _origin(rejected: Any, key: Any, position: Any) -> dict[str, Any]:
    return {_REJECTED: rejected, _KEY: jax.random.key_data(key), _POSITION: position}


@dataclass(frozen=True, eq=False)
class RejectionWarning:
    """Says how many draws the program rejects in its generated quantities, and once why.

    Attributes:
        flags: The name of the array that says which draws there is something to say of.
    """

    bound: BoundProgram
    flags: ClassVar[str] = _REJECTED

    def __call__(self, values: Mapping[str, np.ndarray]) -> None:
        """Warn of rejected draws, if there are any among values of generated quantities."""
        is_rejected = values.get(_REJECTED, np.zeros(0, bool))
        rejected = np.flatnonzero(is_rejected)
        if not len(rejected):
            return
        reason = self._reason(values[_KEY][rejected[0]], values[_POSITION][rejected[0]])
        warnings.warn(
            f"Generated quantities of {len(rejected)} of {len(is_rejected)} draws are NaN, because the program rejects "
            f"them{reason}",
            stacklevel=4,
        )

    def _reason(self, key_data: np.ndarray, position: np.ndarray) -> str:
        """What the program says of a draw, found by computing it once more on the host."""
        try:
            self.bound.generated_on_host(jax.random.wrap_key_data(jnp.asarray(key_data)), position)
        except StanEvaluationError as error:
            return f". The first time: {error}"
        return "."
