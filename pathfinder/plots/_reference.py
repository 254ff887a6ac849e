"""Draws of something else to compare with, in whatever form they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder._variables import Variable


def reference_draws(
    reference: Any, variables: Sequence[Variable], names: Sequence[str]
) -> dict[str, Float[np.ndarray, " draw"]]:
    """Draws by the name of each scalar; scalars that the reference does not have are left out.

    Args:
        reference: `InferenceData` or `DataTree` with a group `posterior`, a result of a fit, or a dictionary of arrays
            of shape `(draw, *shape)` or `(chain, draw, *shape)`.
        variables: The variables of the model.
        names: Of the scalars that are wanted.

    Raises:
        ValueError: If it has none of them, or an array has another shape.
    """
    by_name = _mapping(reference)
    found: dict[str, np.ndarray] = {}
    for variable in variables:
        wanted = [(place, name) for place, name in enumerate(variable.columns("bracket")) if name in names]
        if wanted and variable.name in by_name:
            columns = _columns(np.asarray(by_name[variable.name]), variable)
            found |= {name: columns[:, place] for place, name in wanted}
    if not found:
        raise ValueError(f"`reference` has draws of none of {', '.join(names)}.")
    return found


def _mapping(reference: Any) -> Mapping[str, Any]:
    if hasattr(reference, "unconstrained_draws"):
        return reference.draws
    if isinstance(reference, Mapping) and "posterior" not in reference:
        return reference
    try:
        group = reference["posterior"]
        return {str(name): group[name].values for name in group.data_vars}
    except (TypeError, LookupError, AttributeError) as error:
        raise ValueError(
            "`reference` must be InferenceData, a DataTree with a group `posterior`, a result, or a dictionary of "
            f"draws by name, but it is of type {type(reference).__name__}."
        ) from error


def _columns(values: np.ndarray, variable: Variable) -> Float[np.ndarray, "draw scalar"]:
    """One row for each draw, one column for each scalar, the first index running fastest."""
    for leading in (1, 2):
        if values.ndim == leading + len(variable.shape) and values.shape[leading:] == variable.shape:
            flat = values.reshape(-1, *variable.shape).astype(float)
            return flat.transpose(0, *range(flat.ndim - 1, 0, -1)).reshape(len(flat), variable.size)
    own = "".join(f", {length}" for length in variable.shape)
    raise ValueError(
        f"`reference` has {variable.name!r} with shape {values.shape}; its draws should have shape (draw{own}) or "
        f"(chain, draw{own})."
    )
