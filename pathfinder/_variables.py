"""Names, shapes and order of the variables of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


Block = Literal["parameters", "transformed parameters", "generated quantities"]


@dataclass(frozen=True)
class Variable:
    """One named variable on the constrained scale.

    Args:
        name: As the user wrote it; entries of nested parameters are joined by dots.
        shape: Shape of one draw of it; `()` for a scalar.
        dims: Names of its axes (ArviZ's dims), or None for the default names.
        block: Where a Stan program would declare it.
    """

    name: str
    shape: tuple[int, ...]
    dims: tuple[str, ...] | None = None
    block: Block = "parameters"

    @property
    def size(self) -> int:
        """Number of scalars in one draw."""
        return int(np.prod(self.shape, dtype=np.int64))

    def columns(self, style: Literal["stan", "bracket"] = "stan") -> list[str]:
        """Names of its scalars in Stan's order, the first index running fastest.

        Args:
            style: `"stan"` gives `theta.1.2` as in CmdStan's CSV files, `"bracket"` gives `theta[1,2]`.
                Indices start at 1.
        """
        if not self.shape:
            return [self.name]
        indices = np.unravel_index(np.arange(self.size), self.shape, order="F")
        before, between, after = (".", ".", "") if style == "stan" else ("[", ",", "]")
        return [
            self.name + before + between.join(str(i + 1) for i in index) + after for index in zip(*indices, strict=True)
        ]


@dataclass(frozen=True)
class Part:
    """One array of the form in which a file gives parameters: a parameter, or what one slot of a tuple holds.

    Args:
        name: Name of the parameter, followed by the slots that lead to it: `t.1`.
        shape: Its shape; complex numbers have a last axis of two.
        pieces: Which variables it holds the numbers of, and where.
    """

    name: str
    shape: tuple[int, ...]
    pieces: tuple[tuple[str, tuple[int, ...]], ...]

    def numbers(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Its numbers by the names of the variables."""
        return {name: np.asarray(values[index]) for name, index in self.pieces}


def flatten_draws(variables: Sequence[Variable], draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draws by name as one matrix whose columns follow `Variable.columns`.

    Args:
        variables: What to put side by side, in this order.
        draws: Arrays of shape `(num_draws, *variable.shape)` by name.

    Returns:
        Array of shape `(num_draws, total size)`.
    """
    columns = []
    for variable in variables:
        values = np.asarray(draws[variable.name])
        num_draws = values.shape[0]
        transposed = values.transpose(0, *range(values.ndim - 1, 0, -1))
        columns.append(transposed.reshape(num_draws, variable.size))
    return np.concatenate(columns, axis=1)
