"""Which scalars of a fit to draw, and what to call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder._close_names import did_you_mean
from pathfinder._draws.verdict import unconstrained_names
from pathfinder._variables import Variable


def chosen(names: Sequence[str], wanted: str | Sequence[str] | None, most: int) -> list[int]:
    """Places of the scalars to draw.

    Args:
        names: Of all scalars, such as `theta[1]`.
        wanted: Names of variables or of scalars; None for the first ones, of which single numbers come before elements
            of arrays.
        most: How many there may be.

    Raises:
        ValueError: If there is no scalar of some name, or there are too many.
    """
    if wanted is None:
        return sorted(range(len(names)), key=lambda place: "[" in names[place])[:most]
    variables = [name.partition("[")[0] for name in names]
    places: list[int] = []
    for name in [wanted] if isinstance(wanted, str) else wanted:
        bare = name.replace(" ", "")
        own = [place for place in range(len(names)) if bare in (names[place], variables[place])]
        if not own:
            question = did_you_mean(name, [*dict.fromkeys(variables), *names]) or "."
            raise ValueError(f"There is no variable {name!r}{question}")
        places += own
    places = list(dict.fromkeys(places))
    if len(places) > most:
        raise ValueError(
            f"{len(places)} scalars are named, and at most {most} can be drawn; name single ones, such as "
            f"{names[places[0]]!r}."
        )
    return places


def scalars(model: Any, draws: Any, wanted: str | Sequence[str] | None, most: int) -> tuple[list[str], np.ndarray]:
    """Names of scalars and their draws, one column each; of parameters only unless others are named.

    Args:
        model: The model.
        draws: Its variables by name.
        wanted: As for `chosen`.
        most: How many.
    """
    variables = model.parameters if wanted is None else model.variables
    by_column = {name: place for variable in variables for name, place in _elements(variable)}
    names = list(by_column)
    places = chosen(names, wanted, most)
    columns = [_column(draws, *by_column[names[place]]) for place in places]
    return [names[place] for place in places], np.stack(columns, axis=1)


def _elements(variable: Variable) -> list[tuple[str, tuple[str, int]]]:
    """The name of each scalar of a variable, with its place where the first index runs fastest."""
    return [(name, (variable.name, place)) for place, name in enumerate(variable.columns("bracket"))]


def _column(draws: Any, name: str, place: int) -> Float[np.ndarray, " draw"]:
    values = np.asarray(draws[name])
    return values[(slice(None), *np.unravel_index(place, values.shape[1:], order="F"))].astype(float)


def coordinate_names(model: Any) -> list[str]:
    """What to call the numbers of an unconstrained vector, each by a name of its own."""
    names = unconstrained_names(model.parameters, model.dim)
    return [name if names.count(name) == 1 else f"{name} (number {place})" for place, name in enumerate(names)]


def coordinate(names: Sequence[str], wanted: str | int) -> int:
    """The place of an unconstrained parameter, which is given by name or by place.

    Raises:
        ValueError: If there is none.
    """
    if isinstance(wanted, str):
        bare = wanted.replace(" ", "")
        if bare in names or wanted in names:
            return names.index(bare if bare in names else wanted)
        question = did_you_mean(wanted, names) or f"; there are {', '.join(names[:10])}{' ...' * (len(names) > 10)}"
        raise ValueError(f"There is no unconstrained parameter {wanted!r}{question}")
    if not 0 <= wanted < len(names):
        raise ValueError(f"There is no unconstrained parameter number {wanted}; there are {len(names)}, from 0.")
    return int(wanted)


def coordinate_label(result: Any, name: str, place: int) -> str:
    """What to write at an axis of unconstrained values: `log tau` where the draws show that it is that."""
    by_column = {column: own for variable in result.model.parameters for column, own in _elements(variable)}
    if name not in by_column:
        return name if name.startswith("unconstrained") else f"{name}, unconstrained"
    values = _column(result.draws, *by_column[name])
    unconstrained = result.unconstrained_draws[:, place].astype(float)
    with np.errstate(all="ignore"):
        forms = {
            name: unconstrained,
            f"log {name}": np.exp(unconstrained),
            f"logit {name}": 1.0 / (1.0 + np.exp(-unconstrained)),
        }
    tolerance = 1e3 * np.finfo(np.dtype(result.model.dtype)).eps
    for label, expected in forms.items():
        if np.allclose(values, expected, rtol=tolerance, atol=tolerance):
            return label
    return f"{name} (unconstrained)"
