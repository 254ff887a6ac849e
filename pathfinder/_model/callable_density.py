"""Log densities outside of JAX: functions of NumPy's arrays, in a library of C++ or on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder._model.user_functions import described


POINTS_PER_CALL = 1024
_WITH_GRADIENT, _ALONE = "The log density with its gradient", "The log density alone"


@dataclass(frozen=True)
class CallableDensity:
    """A log density that is called as it is, with arrays of NumPy.

    Args:
        value_and_grad: `value_and_grad(position)` gives the log density and its gradient.
        dim: Length of the position.
        value: `value(position)` gives the log density; None if only the other function does.
        batched: Whether the functions take the positions of several points, one in each row.
        parallel: Whether threads may call them at the same time.
    """

    value_and_grad: Callable[[Float[np.ndarray, "..."]], tuple[Any, Any]]
    dim: int
    value: Callable[[Float[np.ndarray, "..."]], Any] | None
    batched: bool
    parallel: bool

    def values(self, positions: Float[np.ndarray, "n dim"], fits: Any, data: Any) -> Float[np.ndarray, " n"]:
        """Log densities at several points; there are no data."""
        if self.value is None:
            return self.values_and_gradients(positions, fits, data)[0]
        return np.concatenate(list(self._parts(self._value, positions)))

    def values_and_gradients(
        self, positions: Float[np.ndarray, "n dim"], fits: Any, data: Any
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dim"]]:
        """Log densities and gradients at several points; there are no data."""
        values, gradients = zip(*self._parts(self._value_and_grad, positions), strict=True)
        return np.concatenate(values), np.concatenate(gradients)

    def __call__(self, position: Any, data: Any = None) -> Float[np.ndarray, ""]:
        """The log density at one point."""
        return self.values(np.asarray(position, float)[None], None, data).reshape(())

    def _parts(self, function: Callable[[np.ndarray], Any], positions: np.ndarray) -> Iterator[Any]:
        """What a function gives for the points of each call."""
        size = POINTS_PER_CALL if self.batched else 1
        # Copies, as the function may keep or change what it is given.
        parts = [positions[begin : begin + size].copy() for begin in range(0, len(positions), size)]
        return self._threads.map(function, parts) if self.parallel and len(parts) > 1 else map(function, parts)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor()

    def _value(self, positions: np.ndarray) -> np.ndarray:
        return self._number(self._called(self.value, _ALONE, positions), _ALONE, len(positions))

    def _value_and_grad(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        returned = self._called(self.value_and_grad, _WITH_GRADIENT, positions)
        if not isinstance(returned, tuple | list) or len(returned) != 2:
            raise ValueError(
                f"{_WITH_GRADIENT} must return two things, a value and a gradient, but it returned "
                f"{described(returned)}{f' of {len(returned)}' if isinstance(returned, tuple | list) else ''}."
            )
        return (
            self._number(returned[0], _WITH_GRADIENT, len(positions)),
            self._array(returned[1], _WITH_GRADIENT, "gradient", len(positions), (self.dim,)),
        )

    def _called(self, function: Any, role: str, positions: np.ndarray) -> Any:
        try:
            return function(positions if self.batched else positions[0])
        except Exception as error:
            where = f"the point {positions[0].tolist()}"
            if len(positions) > 1:
                where = f"{len(positions)} points, of which the first is {positions[0].tolist()}"
            raise ValueError(f"{role} raised {type(error).__name__}: {error}. It was called at {where}.") from error

    def _number(self, value: Any, role: str, count: int) -> np.ndarray:
        return self._array(value, role, "value", count, ())

    def _array(self, value: Any, role: str, what: str, count: int, shape: tuple[int, ...]) -> np.ndarray:
        """Values of some points, checked."""
        expected = (count, *shape) if self.batched else shape
        try:
            array = np.asarray(value)
        except (TypeError, ValueError):
            array = np.asarray(None)
        if array.dtype.kind not in "fiu" or array.shape != expected:
            wanted = f"an array of floating-point numbers of shape {expected}" if expected else "a number"
            found = f"{array.dtype}{list(array.shape)}" if array.dtype.kind != "O" else described(value)
            raise ValueError(f"{role} must return {wanted} as its {what}, but that is {found}.")
        return array.astype(float).reshape(count, *shape)
