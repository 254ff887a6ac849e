"""Draws as CSV in Stan's layout: comments, names, rows, timing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

import numpy as np
from numpy.typing import NDArray


DEFAULT_SIG_FIGS = 6
NUM_CHAINS = "num_chains"  # in comments after draws that stand chain after chain
PATH_COLUMN = 2  # after `lp_approx__` and `lp__`


def write_comments(file: TextIO, lines: Iterable[str]) -> None:
    """Write lines as comments; a line break inside one, as in a file name, is written escaped."""
    for line in lines:
        text = line.replace("\r", "\\r").replace("\n", "\\n")
        file.write(f"# {text}\n")


def write_draws(
    file: TextIO,
    names: Sequence[str],
    draws: NDArray[np.float64],
    *,
    paths: NDArray[np.int64] | None = None,
    sig_figs: int = -1,
) -> None:
    """Write the row of names and one row per draw.

    Args:
        file: Where to write.
        names: Names of the columns of `draws`, first `lp_approx__` and `lp__`.
        draws: One row per draw, one column per name; may have no rows.
        paths: Number of the path that each draw comes from, for a column `path__`, if wanted.
        sig_figs: Significant digits; -1 for CmdStan's default of 6, 0 counts as 1.

    Raises:
        ValueError: If the shapes do not fit.
    """
    if draws.ndim != 2 or draws.shape[1] != len(names):
        raise ValueError(f"`draws` needs {len(names)} columns, one per name; its shape is {draws.shape}.")
    if paths is not None and paths.shape != draws.shape[:1]:
        raise ValueError(f"`paths` needs one number per draw ({len(draws)}); its shape is {paths.shape}.")
    header = list(names)
    fields = [number_format(sig_figs)] * len(names)
    if paths is not None:
        header.insert(PATH_COLUMN, "path__")
        fields.insert(PATH_COLUMN, "%d")
    file.write(",".join(header) + "\n")
    row_format = ", ".join(fields) + "\n"
    for index, draw in enumerate(draws):
        row = draw.tolist()
        if paths is not None:
            row.insert(PATH_COLUMN, int(paths[index]))
        file.write(row_format % tuple(row))


def number_format(sig_figs: int) -> str:
    """The printf format of C++'s default float style with so many significant digits, -1 for 6."""
    return f"%.{DEFAULT_SIG_FIGS if sig_figs < 0 else sig_figs}g"


def write_diagnostics(file: TextIO, numbers: Mapping[str, float], words: str, *, sig_figs: int = -1) -> None:
    """Write how far the draws of a run can be trusted, as comments after them.

    Args:
        file: Where to write.
        numbers: Diagnostics by name.
        words: What they mean.
        sig_figs: As for `write_draws`.
    """
    form = number_format(sig_figs)
    write_comments(file, ["", *(f"{name} = {form % number}" for name, number in numbers.items()), words])


def write_single_timing(file: TextIO, pathfinder_seconds: float) -> None:
    """Write the closing comments of the draws of one path."""
    _write_timing(file, [(_milliseconds(pathfinder_seconds), "Pathfinder")])


def write_multi_timing(file: TextIO, pathfinders_seconds: float, psis_seconds: float | None) -> None:
    """Write the closing comments of the draws of several paths.

    Args:
        file: Where to write.
        pathfinders_seconds: Time of all paths together.
        psis_seconds: Time of weighting and resampling; None if all draws were kept.
    """
    paths = _milliseconds(pathfinders_seconds)
    if psis_seconds is None:
        _write_timing(file, [(paths, "Total")])
        return
    psis = _milliseconds(psis_seconds)
    _write_timing(file, [(paths, "Pathfinders"), (psis, "PSIS"), (paths + psis, "Total")])


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1e9) // 10**6  # whole ones, cut off as CmdStan does


def _write_timing(file: TextIO, times: Sequence[tuple[int, str]]) -> None:
    label = "Elapsed Time: "
    lines = [f"{milliseconds / 1000:f} seconds ({phase})" for milliseconds, phase in times]
    indented = [(" " * len(label) if index else label) + line for index, line in enumerate(lines)]
    write_comments(file, ["", *indented, ""])
