"""What is printed about the paths while they run.

The engine runs them side by side; their lines are printed one path after the other, those of the
first unfinished path as they come.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from pathfinder import PathReport, Status
from pathfinder_cli._console import texts
from pathfinder_cli._console.texts import Progress


@dataclass
class _Path:
    """What is known of a path that has not ended, and what of it is not printed yet."""

    lines: list[tuple[Callable[[str], None], str]] = field(default_factory=list)
    has_started: bool = False  # or failed to
    has_ended: bool = False
    last_row: Progress | None = None  # held back until it is known whether the path ends there
    num_iterations: int = 0
    highest_elbo: float = float("-inf")
    best_iteration: int = -1
    best_elbo: float = float("-inf")


class PathPrinter:
    """Prints the progress and the end of every path.

    Args:
        num_paths: Number of paths.
        first_id: Number of the first one in its label.
        refresh: Iterations between two rows; 0 prints only failures.
        num_elbo_draws: Densities that each iteration costs.
        init_failures: What to print (stdout, then stderr) for paths whose initial values cannot be used.
        radius: Half the width of the box in which paths start, and ...
        num_attempts: ... how many points each may have tried there.
        out: Prints on stdout; `error` on stderr.
    """

    def __init__(
        self,
        num_paths: int,
        *,
        first_id: int,
        refresh: int,
        num_elbo_draws: int,
        init_failures: Mapping[int, tuple[str, str]],
        radius: float,
        num_attempts: Sequence[int],
        out: Callable[[str], None],
        error: Callable[[str], None],
    ):
        self._paths = [_Path() for _ in range(num_paths)]
        self._current = 0
        self._first_id = first_id
        self._refresh = refresh
        self._num_elbo_draws = num_elbo_draws
        self._init_failures = init_failures
        self._radius = radius
        self._num_attempts = num_attempts
        self._out = out
        self._error = error

    def update(self, reports: Sequence[PathReport]) -> None:
        """Take in what the engine reports."""
        for report in reports:
            if self._paths[report.lane].has_ended:  # the engine repeats how paths ended while others run
                continue
            self._take(report)
            if report.status != Status.RUNNING:
                self._end(report.lane, report.status)
        self._print()

    def finish(self, statuses: Sequence[Status]) -> None:
        """Print what is left, given how each path ended."""
        for index, status in enumerate(statuses):
            if not self._paths[index].has_ended:
                self._end(index, status)
        self._print()

    def _take(self, report: PathReport) -> None:
        path = self._paths[report.lane]
        path.best_iteration, path.best_elbo = report.best_iteration, report.best_elbo
        if not path.has_started and report.lane not in self._init_failures:
            path.lines += [(self._out, _rejection(is_finite)) for is_finite in report.rejected]
            has_start = report.status != Status.INITIALIZATION_FAILED and isfinite(report.initial_log_density)
            if self._refresh and has_start:
                initial = texts.initial_log_density(self._id(report.lane), report.initial_log_density)
                path.lines.append((self._out, initial))
        path.has_started = True
        table = report.iterations
        for row in range(len(table.iteration)):
            self._add_row(report.lane, is_last=False)
            path.num_iterations += 1
            elbo = float(table.elbo[row])
            path.highest_elbo = max(path.highest_elbo, elbo)
            path.last_row = Progress(
                iteration=int(table.iteration[row]),
                log_density=float(table.log_density[row]),
                step_norm=float(table.step_norm[row]),
                gradient_norm=float(table.gradient_norm[row]),
                step_size=float(table.alpha[row]),
                first_step_size=float(table.first_alpha[row]),
                num_evaluations=int(table.num_gradients[row]) + path.num_iterations * self._num_elbo_draws,
                elbo=elbo,
                best_elbo=path.highest_elbo,
                note=texts.HESSIAN_RESET_NOTE if table.was_reset[row] else "",
            )

    def _add_row(self, index: int, *, is_last: bool) -> None:
        path = self._paths[index]
        row, path.last_row = path.last_row, None if not is_last else path.last_row
        if row and texts.is_progress_due(row.iteration, self._refresh, is_last=is_last, note=row.note):
            path.lines.append((self._out, texts.progress_rows(self._id(index), row)))

    def _end(self, index: int, status: Status) -> None:
        path = self._paths[index]
        path.has_ended = True
        self._add_row(index, is_last=True)
        path.lines += self._ending(index, status)
        failed = not status.succeeded or path.best_iteration < 0
        if failed and len(self._paths) > 1:
            path.lines.append((self._error, texts.path_failed(index)))

    def _ending(self, index: int, status: Status) -> list[tuple[Callable[[str], None], str]]:
        path, number = self._paths[index], self._id(index)
        if index in self._init_failures:
            rejection, failure = self._init_failures[index]
            return [*([(self._out, f"{rejection}\n")] if rejection else []), (self._error, failure)]
        if status == Status.INITIALIZATION_FAILED:
            text = texts.initialization_failed(self._radius, self._num_attempts[index])
            return [*([(self._out, "")] if self._radius else []), (self._error, text)]
        if status == Status.LINE_SEARCH_FAILED_AT_START:
            return [(self._error, texts.line_search_failed_at_start())]
        if status == Status.INTERRUPTED_AT_START:
            return [(self._error, f"{texts.path_label(number)}{status.message}")]
        lines = []
        if status == Status.LINE_SEARCH_FAILED:
            lines.append((self._out, texts.line_search_failed_later()))
        if path.best_iteration < 0:
            lines.append((self._error, texts.no_finite_elbo(number)))
        elif self._refresh:
            evaluations = path.last_row.num_evaluations if path.last_row else 0
            best = texts.best_iteration(number, path.best_iteration, path.best_elbo, evaluations)
            lines.append((self._out, best))
        return lines

    def _id(self, index: int) -> int:
        return self._first_id + index

    def _print(self) -> None:
        while self._current < len(self._paths):
            path = self._paths[self._current]
            for write, text in path.lines:
                write(text)
            path.lines.clear()
            if not path.has_ended:
                return
            self._current += 1


def _rejection(is_finite: bool) -> str:
    """What was wrong with an initial point; `is_finite` says whether its log density is."""
    return texts.rejected_gradient() if is_finite else texts.rejected_zero_density()
