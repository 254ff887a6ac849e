"""Stan CSV files of draws, ours and CmdStan's, as they are read again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pathfinder._chains.chain_draws import draws_per_chain
from pathfinder._close_names import did_you_mean
from pathfinder_cli._arguments.similar_files import similar_file
from pathfinder_cli._errors import RunError
from pathfinder_cli._outputs.csv import NUM_CHAINS


@dataclass(frozen=True)
class DrawsFile:
    """The content of one file.

    Args:
        path: Its name.
        names: Names of the columns, such as `theta.1`.
        draws: One row per draw, one column per name.
        comments: The comments without their marks.
    """

    path: str
    names: tuple[str, ...]
    draws: np.ndarray
    comments: tuple[str, ...]

    @property
    def is_resampled(self) -> bool:
        """Whether draws were chosen by their importance weights: only then the timing has a line about that."""
        return any(comment.endswith("(PSIS)") for comment in self.comments)

    @property
    def log_ratios(self) -> np.ndarray | None:
        """Log importance ratios of draws that stand in the file whatever their weight; None if it has none."""
        if self.is_resampled or not {"lp__", "lp_approx__"} <= set(self.names):
            return None
        if (
            "calculate_lp = false" in self.comments
        ):  # CmdStan has densities of the draws that won, which are the highest
            return None
        log_p, log_q = (self.draws[:, self.names.index(name)] for name in ("lp__", "lp_approx__"))
        usable = np.isfinite(log_p) & np.isfinite(log_q)
        ratios = np.full(len(log_p), -np.inf)
        ratios[usable] = log_p[usable] - log_q[usable]
        return ratios if usable.any() else None

    @property
    def reliability(self) -> str:
        """What the run that wrote the file said of its draws; empty if nothing."""
        return next((comment for comment in self.comments if comment.startswith(("Pareto k", "Chains "))), "")

    def setting(self, scope: str, name: str) -> str:
        """What the configuration of the run says of an argument, such as `file` in the scope `data`; empty if nothing.

        Args:
            scope: The scope, or "" for what stands in none.
            name: The argument.
        """
        current = ""
        for comment in self.comments:
            key, equals, value = comment.partition(" =")
            if not equals and comment:
                current = comment
            elif key == name and current == scope:
                return value.removesuffix(" (Default)").strip()
        return ""

    @property
    def chain_ids(self) -> np.ndarray | None:
        """The chain of each draw, if they are states of chains."""
        start = f"{NUM_CHAINS} = "
        number = next((comment.removeprefix(start) for comment in self.comments if comment.startswith(start)), "")
        if not number.isdecimal():
            return None
        return np.repeat(np.arange(int(number)), draws_per_chain(len(self.draws), int(number)))


def read_draws(path: str) -> DrawsFile:
    """Read a file.

    Raises:
        RunError: If it cannot be read, or is not one of draws.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read().splitlines()
    except OSError as error:
        raise RunError(f'Error: cannot read "{path}": {error.strerror}{similar_file(path) or "."}') from error
    except ValueError as error:
        raise _not_draws(path, "it is no text in UTF-8") from error
    comments = tuple(line[1:].strip() for line in text if line.startswith("#"))
    numbered = [(number, line) for number, line in enumerate(text, 1) if line.strip() and not line.startswith("#")]
    lines = [line for _, line in numbered]
    names = tuple(name.strip() for name in lines[0].split(",")) if lines else ()
    if names and not all(name and not _is_number(name) for name in names):
        raise _not_draws(path, "its first line has no names of variables")
    if len(lines) < 2:
        raise RunError(f'Error: "{path}" has no draws.')
    try:
        draws = np.loadtxt(lines[1:], delimiter=",", ndmin=2)
        if draws.shape[1] != len(names):
            raise ValueError("another number of columns than of names")
    except ValueError as error:
        raise _not_draws(path, _first_fault(numbered[1:], len(names)) or str(error)) from error
    return DrawsFile(path, names, draws, comments)


def check_same_columns(files: Sequence[DrawsFile]) -> None:
    """Refuse files that are not of one model.

    Raises:
        RunError: For the first column that differs from the first file.
    """
    first = files[0]
    for other in files[1:]:
        missing = [name for name in first.names if name not in other.names]
        added = [name for name in other.names if name not in first.names]
        if missing or added:
            lacks, has, name = (other, first, missing[0]) if missing else (first, other, added[0])
            question = did_you_mean(name, added if missing else missing) or "."
            raise RunError(
                f'Error: the files have different columns: "{lacks.path}" has no {name!r}, which "{has.path}" '
                f"has{question}"
            )
        if other.names != first.names:
            raise RunError(f'Error: the columns of "{other.path}" are in another order than those of "{first.path}".')


def _not_draws(path: str, why: str) -> RunError:
    return RunError(f'Error: "{path}" is not a CSV file of draws: {why}.')


def _first_fault(numbered: Sequence[tuple[int, str]], num_names: int) -> str:
    """What is wrong in the first line that is no draw."""
    for number, line in numbered:
        cells = line.split(",")
        if len(cells) != num_names:
            return f"line {number} has {len(cells)} columns, but there are {num_names} names"
        for cell in cells:
            if not _is_number(cell):
                return f"line {number} has {cell.strip()!r} where a number belongs"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
