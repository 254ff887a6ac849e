"""Variables of a Stan program as parts of a row of numbers, by the names that Stan gives to its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int


_INDICES = re.compile(r"^(.*?)((?:\.\d+)*)$")


@dataclass(frozen=True)
class StanColumns:
    """Variables as parts of a row of numbers.

    Args:
        places: The columns of each variable by name, in the variable's shape.
    """

    places: Mapping[str, Int[np.ndarray, "..."]]

    @classmethod
    def of(cls, names: Sequence[str]) -> StanColumns:
        """From names of columns as Stan gives them: `z.1.2`, `t:1`, `c.1.real`.

        Elements of tuples and parts of complex numbers are variables of their own, as in `Model.from_stan`.
        """
        found: dict[str, dict[tuple[int, ...], int]] = {}
        for column, full in enumerate(names):
            name, indices = _INDICES.fullmatch(full).groups()  # type: ignore[union-attr]
            found.setdefault(name, {})[tuple(int(index) - 1 for index in indices.split(".")[1:])] = column
        places = {}
        for name, columns in found.items():
            places[name] = np.empty(np.max(list(columns), axis=0).astype(int) + 1, int)
            for index, column in columns.items():
                places[name][index] = column
        return cls(places)

    def only(self, names: set[str]) -> StanColumns:
        """Some of the variables."""
        return StanColumns({name: places for name, places in self.places.items() if name in names})

    def split(self, row: Float[np.ndarray, " column"]) -> dict[str, np.ndarray]:
        """The variables of a row."""
        return {name: row[places] for name, places in self.places.items()}

    def joined(self, values: Mapping[str, Any], count: int) -> Float[np.ndarray, " column"]:
        """The row of variables that fill it."""
        row = np.empty(count)
        for name, places in self.places.items():
            row[places] = values[name]
        return row
