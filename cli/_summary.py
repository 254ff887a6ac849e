"""`pathfinder summary`: a table of the draws in a CSV file."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._run_error import RunError
from ._streams import write_stdout
from ._usage_error import UsageError


if TYPE_CHECKING:
    import numpy as np

HELP = """\
Usage: pathfinder summary FILE.csv

Print mean, standard deviation and quantiles of every variable in a CSV file of draws.
"""

_QUANTILES = (0.05, 0.5, 0.95)
_LEFT_OUT = ("path__",)


def main(words: Sequence[str]) -> int:
    """Run the command with the words after its name."""
    if any(word in ("-h", "--help", "help") for word in words):
        write_stdout(HELP)
        return 0
    if len(words) != 1:
        raise UsageError(f"Error: pathfinder summary takes the name of one CSV file.\n\n{HELP}")
    write_stdout(table_of(words[0]))
    return 0


def table_of(path: str) -> str:
    """The table as text.

    Raises:
        RunError: If the file is not one of draws.
    """
    import numpy as np

    names, draws = read_draws(path)
    kept = [column for column, name in enumerate(names) if name not in _LEFT_OUT]
    if not len(draws):
        raise RunError(f'Error: "{path}" has no draws.')
    rows = [["", "mean", "sd", *(f"{probability:.0%}" for probability in _QUANTILES)]]
    for column in kept:
        values = draws[:, column]
        with np.errstate(invalid="ignore"):
            sd = values.std(ddof=1) if len(values) > 1 else np.nan
            numbers = [values.mean(), sd, *np.quantile(values, _QUANTILES, method="inverted_cdf")]
        rows.append([_bracketed(names[column]), *(f"{number:.3g}" for number in numbers)])
    widths = [max(len(row[cell]) for row in rows) for cell in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def read_draws(path: str) -> "tuple[list[str], np.ndarray]":
    """The names of the columns and the draws of a Stan CSV file.

    Raises:
        RunError: If the file cannot be read, or is not one of draws.
    """
    import numpy as np

    try:
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith("#")]
        names = lines[0].strip().split(",") if lines else []
        draws = np.loadtxt(lines[1:], delimiter=",", ndmin=2) if lines[1:] else np.zeros((0, len(names)))
    except OSError as error:
        raise RunError(f'Error: cannot read "{path}": {error.strerror}.') from error
    except ValueError as error:
        raise RunError(f'Error: "{path}" is not a CSV file of draws: {error}') from error
    if draws.shape[1] != len(names):
        what = f"it has {len(names)} names and {draws.shape[1]} columns"
        raise RunError(f'Error: "{path}" is not a CSV file of draws: {what}.')
    return names, draws


def _bracketed(name: str) -> str:
    """`theta.1.2` as `theta[1,2]`."""
    match = re.fullmatch(r"(.*?)((?:\.[0-9]+)+)", name)
    return f"{match[1]}[{match[2][1:].replace('.', ',')}]" if match else name
