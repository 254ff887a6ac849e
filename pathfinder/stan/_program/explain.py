"""How the loops of a program are compiled, and why not in a faster way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from pathfinder.stan._program.data import read_data, take_from
from pathfinder.stan._program.files import load, load_data
from pathfinder.stan._program.program import BoundProgram, bind, declarations
from pathfinder.stan._state.errors import StanEvaluationError
from pathfinder.stan._state.report import LoopReport


_WORDS = {
    "lanes": "all iterations at once",
    "scan": "one after another, compiled once",
    "unrolled": "one after another, each compiled",
    "data": "known from the data",
}


def explain(program: Any, data: Any = None, *, include_paths: Sequence[Any] = ()) -> str:
    """Tell how each loop of a program is compiled.

    Loops whose iterations do not depend on each other run as lanes, all at once. Others run as a scan, and where that
    is not possible they are unrolled, which makes for long compilation; the reason is given. `8 in 535 lanes` is a loop
    of eight iterations inside of others whose 535 iterations run it side by side; only the eight count for its
    compilation.

    Args:
        program: A path that ends in `.stan`, or the text of the program.
        data: Values by name, the path of a file (JSON if it ends in `.json`, R dump otherwise), or None.
        include_paths: Folders to look for included files in.

    Returns:
        A table with a line for each loop.

    Raises:
        StanError: If the program is wrong, or the data do not fit it.
    """
    checked = load(program, include_paths)
    return explain_bound(bind(checked, read_data(checked, take_from(load_data(data)))))


def explain_bound(bound: BoundProgram) -> str:
    """The same of a program that has its data."""
    notes = []
    position = jax.ShapeDtypeStruct((bound.dim,), jnp.zeros(()).dtype)
    jax.eval_shape(bound.log_density, position)
    if declarations(bound.checked.program.generated_quantities):
        try:
            jax.eval_shape(lambda *at: bound.generated(*at)[0], jax.random.key(0), position)
        except StanEvaluationError as error:
            notes.append(f"Generated quantities are computed draw by draw: {error}")
    reports = sorted(bound.reports.values(), key=lambda report: report.line)
    if not reports:
        return "\n".join(["The program has no loops.", *notes])
    rows = [("line", "iterations", "compiled as", ""), *map(_row, reports)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{line:>{widths[0]}}  {iterations:>{widths[1]}}  {how:<{widths[2]}}  {reason}".rstrip()
        for line, iterations, how, reason in rows
    ]
    return "\n".join([*lines, *notes])


def _row(report: LoopReport) -> tuple[str, str, str, str]:
    differ = f"{report.fewest} to " if report.fewest < report.iterations else ""
    lanes = f" in {report.lanes} lanes" if report.lanes > 1 else ""
    return (
        str(report.line),
        f"{differ}{report.iterations}{lanes}",
        f"{report.how} ({_WORDS[report.how]})",
        report.reason,
    )
