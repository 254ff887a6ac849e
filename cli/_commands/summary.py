"""`pathfinder summary`: a table of the draws in CSV files."""

import csv
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TextIO

from pathfinder._close_names import did_you_mean
from pathfinder_cli._arguments.options import only_value, split_options, wants_help
from pathfinder_cli._console.streams import write_stdout
from pathfinder_cli._errors import RunError, UsageError
from pathfinder_cli._outputs.atomic_files import atomic_file


if TYPE_CHECKING:
    import numpy as np

    from pathfinder_cli._inputs.estimates import Estimates

HELP = """\
Usage: pathfinder summary FILE.csv... [-s N] [-p 5,50,95] [-i NAME]... [-c FILE]

Print mean, its Monte Carlo standard error, standard deviation, quantiles and effective sample size
of every variable in CSV files of draws; several files are joined. Draws that were not resampled are
weighted by lp__ and lp_approx__.

  -s, --sig_figs=N               significant digits, from 1 to 18 (3)
  -p, --percentiles=P,...        percentiles from 0 to 100 (5,50,95)
  -i, --include_param=NAME       only this variable, such as theta, theta[1] or theta.1; may be repeated
  -c, --csv_filename=FILE        write the table to this file as CSV, too
"""

_OPTIONS = {"--sig_figs": "-s", "--percentiles": "-p", "--include_param": "-i", "--csv_filename": "-c"}
_LEFT_OUT = ("path__",)
_MOST_DIGITS = 18


class Table(NamedTuple):
    """What is shown: the names of columns and of rows, the numbers, and lines that follow."""

    head: list[str]
    names: list[str]
    numbers: "np.ndarray"
    notes: list[str]


def main(words: Sequence[str]) -> int:
    """Run the command with the words after its name."""
    if wants_help(words):
        write_stdout(HELP)
        return 0
    paths, options = split_options("summary", words, _OPTIONS, HELP)
    if not paths:
        raise UsageError(f"Error: pathfinder summary takes the names of CSV files.\n\n{HELP}")
    single = {name: only_value("summary", name, options[name], HELP) for name in _OPTIONS if name != "--include_param"}
    digits = _digits(single["--sig_figs"] or "3")
    percentiles = _percentiles(single["--percentiles"] or "5,50,95")
    name = single["--csv_filename"]
    if name and any(os.path.exists(name) and os.path.samefile(name, path) for path in paths if os.path.exists(path)):
        raise UsageError(f"Error: --csv_filename={name}: this is one of the files of draws; give another name.\n")
    table = table_of(paths, percentiles, options["--include_param"])
    if name:
        with atomic_file(name) as file:
            _write_csv(table, file, digits)
    write_stdout(_text(table, digits))
    return 0


def table_of(paths: Sequence[str], percentiles: Sequence[float] = (5, 50, 95), wanted: Sequence[str] = ()) -> Table:
    """The table of some files.

    Args:
        paths: Their names.
        percentiles: Of which there are columns.
        wanted: Variables to be shown; all if empty.

    Raises:
        RunError: If a file is not one of draws, files do not fit together, or there is no such variable.
    """
    import numpy as np

    from pathfinder_cli._inputs.draws_file import check_same_columns, read_draws
    from pathfinder_cli._inputs.estimates import estimates, joined

    files = [read_draws(path) for path in paths]
    check_same_columns(files)
    names = [bracketed(name) for name in files[0].names]
    shown = _columns(names, wanted)
    sample = joined(files)
    found: Estimates = estimates(sample, [percentile / 100 for percentile in percentiles])
    rows = [found.mean, found.mcse, found.sd, *found.quantiles, found.effective_sample_size]
    notes = [f"{file.path}: {file.reliability}" for file in files if file.is_resampled and file.reliability]
    if sample.reliability:
        notes.append(f"Weighted by lp__ and lp_approx__. {sample.reliability}")
    if not sample.has_sizes:
        notes.append(
            "Effective sample sizes are not known: draws have neither importance weights nor were chosen by them."
        )
    head = ["mean", "mcse", "sd", *(f"{percentile:g}%" for percentile in percentiles), "ess"]
    return Table(head, [names[column] for column in shown], np.array(rows).T[shown], notes)


def _columns(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """The columns to be shown, those of a variable in the order of the file."""
    if not wanted:
        return [column for column, name in enumerate(names) if name not in _LEFT_OUT]
    variables = [name.partition("[")[0] for name in names]
    columns: list[int] = []
    for name in wanted:
        shown = bracketed(re.sub(r"\s", "", name))
        own = [column for column in range(len(names)) if shown in (names[column], variables[column])]
        if not own:
            question = did_you_mean(shown, [*dict.fromkeys(variables), *names]) or "."
            raise RunError(f"Error: --include_param={name}: the files have no such variable{question}")
        columns += own
    return list(dict.fromkeys(columns))


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_DIGITS):
        raise UsageError(f"Error: --sig_figs={text}: give a whole number from 1 to {_MOST_DIGITS}.\n")
    return int(text)


def _percentiles(text: str) -> list[float]:
    try:
        percentiles = [float(part) for part in text.split(",")]
    except ValueError:
        percentiles = [-1.0]
    if not all(0 <= percentile <= 100 for percentile in percentiles):
        raise UsageError(f"Error: --percentiles={text}: give numbers from 0 to 100, such as 5,50,95.\n")
    return percentiles


def _cells(table: Table, digits: int) -> list[list[str]]:
    return [
        [name, *(f"{number:.{digits}g}" for number in numbers)]
        for name, numbers in zip(table.names, table.numbers, strict=True)
    ]


def _write_csv(table: Table, file: TextIO, digits: int) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([["name", *table.head], *_cells(table, digits)])


def _text(table: Table, digits: int) -> str:
    rows = [["", *table.head], *_cells(table, digits)]
    widths = [max(len(row[cell]) for row in rows) for cell in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]
    notes = ["", *table.notes] if table.notes else []
    return "".join(f"{line}\n" for line in [*lines, *notes])


def bracketed(name: str) -> str:
    """`theta.1.2` as `theta[1,2]`."""
    match = re.fullmatch(r"(.*?)((?:\.[0-9]+)+)", name)
    return f"{match[1]}[{match[2][1:].replace('.', ',')}]" if match else name
