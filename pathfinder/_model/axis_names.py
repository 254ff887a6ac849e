"""Names of the axes of variables and data, as users give them in `dims`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pathfinder._variables import Variable


def with_dims(
    variables: Sequence[Variable], dims: Mapping[str, tuple[str, ...]], data: Mapping[str, Any]
) -> tuple[Variable, ...]:
    """The variables with names of their axes.

    Args:
        variables: The variables.
        dims: Names of axes by name of variables and data.
        data: The data by name.

    Raises:
        ValueError: If there is no such name, or an array has another number of axes.
    """
    check_known(dims, variables, data)
    for variable in variables:
        names = dims.get(variable.name)
        if names is not None and len(names) != len(variable.shape):
            raise ValueError(
                f"`dims` gives `{variable.name}` {len(names)} names of axes, but its shape is {list(variable.shape)}."
            )
    return tuple(
        replace(variable, dims=tuple(dims[variable.name])) if variable.name in dims else variable
        for variable in variables
    )


def check_known(dims: Mapping[str, Any], variables: Sequence[Variable], data: Mapping[str, Any]) -> None:
    """Check that all names are those of variables or data.

    Raises:
        ValueError: If one is not.
    """
    unknown = sorted(set(dims) - {variable.name for variable in variables} - set(data))
    if unknown:
        raise ValueError(f"`dims` names {', '.join(map(repr, unknown))}, which the model does not have.")


def data_dims(dims: Mapping[str, Sequence[str]], named: Mapping[str, np.ndarray], taken: set[str]) -> dict[str, Any]:
    """Names of the axes of data.

    Args:
        dims: Names of axes by name of variables and data.
        named: The data.
        taken: Names of variables; data of the same name share their dims if they have as many axes.

    Raises:
        ValueError: If an array has another number of axes.
    """
    found = {}
    for name, values in named.items():
        names = dims.get(name)
        if names is None or name in taken and len(names) != values.ndim:
            continue
        if len(names) != values.ndim:
            raise ValueError(
                f"`dims` gives `{name}` {len(names)} names of axes, but its shape is {list(values.shape)}."
            )
        found[name] = tuple(names)
    return found
