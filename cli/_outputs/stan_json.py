"""JSON in the layout of Stan's writers, but always JSON.

Stan writes the bare words `Inf`, `-Inf` and `NaN`, which are not JSON; here they are strings, as
Stan's data files have them. Escapes that JSON lacks are not used either.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pathfinder_cli._outputs.csv import number_format


_INDENT = "  "


def json_document(members: Mapping[str, Any], sig_figs: int = -1) -> Iterator[str]:
    """The text of an object with its leading empty line, in pieces of one member each.

    Args:
        members: Name to value: a string, bool, int, float, vector or matrix (arrays), or an
            object (a mapping) of the same.
        sig_figs: Significant digits; -1 for CmdStan's default of 6.
    """
    return stream_document(iter(members.items()), sig_figs)


def stream_document(members: Iterator[tuple[str, Any]], sig_figs: int = -1) -> Iterator[str]:
    """As `json_document`, for members that come one by one."""
    yield "\n{"
    separator = "\n"
    for name, value in members:
        yield f"{separator}{_INDENT}{_quoted(name)} : {_format(value, number_format(sig_figs), _INDENT)}"
        separator = ",\n"
    yield "\n}\n"


def _format(value: Any, real: str, indent: str) -> str:
    if isinstance(value, Mapping):
        inner = indent + _INDENT
        members = [f"{inner}{_quoted(name)} : {_format(member, real, inner)}" for name, member in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, np.ndarray) and value.ndim > 0:
        return _format_array(value, real)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    return _format_real(float(value), real)


def _format_array(array: NDArray[Any], real: str) -> str:
    """A vector, or a matrix as a list of its rows; without elements, Stan's two blanks."""
    if array.size == 0:
        return "[  ]"
    if array.ndim > 1:
        elements = [_format_array(row, real) for row in array]
    elif np.isfinite(array).all():
        elements = [real % element for element in array.tolist()]
    else:
        elements = [_format_real(element, real) for element in array.tolist()]
    return f"[ {', '.join(elements)} ]"


def _format_real(number: float, real: str) -> str:
    if np.isnan(number):
        return '"NaN"'
    if np.isinf(number):
        return '"Inf"' if number > 0 else '"-Inf"'
    return real % number


def _quoted(text: str) -> str:
    return json.dumps(text).replace("/", "\\/")
