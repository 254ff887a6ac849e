"""What is printed about paths, from reports made up for it."""

import numpy as np
import pytest

from pathfinder import Iterations, PathReport, Status
from pathfinder_cli._console import texts
from pathfinder_cli._console.progress import PathPrinter


class Console:
    """Remembers what is printed, as (stream, text)."""

    def __init__(self):
        self.messages = []

    def out(self, text):
        self.messages.append(("out", text))

    def error(self, text):
        self.messages.append(("err", text))

    def printer(self, num_paths=2, **options):
        options = {
            "first_id": 1,
            "refresh": 1,
            "num_elbo_draws": 10,
            "init_failures": {},
            "radius": 2.0,
            "num_attempts": [100] * num_paths,
        } | options
        return PathPrinter(num_paths, **options, out=self.out, error=self.error)

    def lines(self, containing=""):
        return [line for _, text in self.messages for line in text.splitlines() if containing in line]


def report(lane, elbos, *, start=1, status=Status.RUNNING, best=(1, -1.0), resets=(), rejected=()):
    count = len(elbos)
    numbers = np.arange(start, start + count)
    ones = np.ones(count)
    table = Iterations(
        iteration=numbers,
        log_density=-ones,
        step_norm=ones,
        gradient_norm=ones,
        alpha=ones,
        first_alpha=ones,
        num_gradients=2 * numbers,
        was_reset=np.isin(numbers, resets),
        elbo=np.array(elbos),
        elbo_standard_error=ones,
        num_finite=ones.astype(int),
    )
    return PathReport(lane, -5.0, np.array(rejected, bool), table, status, *best)


def fields(lines):
    return [line.split() for line in lines if line[:1] == " " and "Iter" not in line]


def test_lines_of_one_path_follow_each_other():
    console = Console()
    printer = console.printer(3)
    printer.update([report(0, [-3.0]), report(1, [-3.0]), report(2, [-3.0], status=Status.CONVERGED_OBJECTIVE)])
    assert console.lines("Path [2]") == console.lines("Path [3]") == []
    printer.update([report(1, [], status=Status.CONVERGED_OBJECTIVE), report(0, [-2.0], start=2)])
    assert console.lines("Path [2]") == []
    printer.update([report(0, [], status=Status.CONVERGED_OBJECTIVE)])
    paths = [line[6] for line in console.lines("Path [")]
    assert paths == sorted(paths)
    assert set(paths) == {"1", "2", "3"}


def test_lines_of_the_first_unfinished_path_come_at_once():
    console = Console()
    printer = console.printer()
    printer.update([report(0, [-3.0, -2.0])])
    assert console.lines() == [
        "Path [1] :Initial log joint density = -5.000000",
        *console.lines("Iter  "),
        console.lines("              1")[0],
    ]
    printer.update([report(0, [], status=Status.CONVERGED_GRADIENT, best=(2, -2.0))])
    assert [row[0] for row in fields(console.lines())] == ["1", "2"]
    assert console.lines("Best Iter:") == ["Path [1] :Best Iter: [2] ELBO (-2.000000) evaluations: (24)"]


def test_the_best_elbo_is_the_best_so_far():
    console = Console()
    console.printer(1).update(
        [report(0, [-3.0, np.nan, -1.0, -2.0, -np.inf], status=Status.ITERATION_LIMIT, best=(3, -1.0))]
    )
    rows = fields(console.lines())
    assert [float(row[7]) for row in rows][0::2] == [-3.0, -1.0, -np.inf]
    assert [float(row[8]) for row in rows] == [-3.0, -3.0, -1.0, -1.0, -1.0]
    assert [int(row[6]) for row in rows] == [12, 24, 36, 48, 60]


def test_a_path_ends_once():
    console = Console()
    printer = console.printer()
    for _ in range(3):
        printer.update([report(0, [], status=Status.ITERATION_LIMIT), report(1, [-1.0])])
    assert len(console.lines("Path [1] :Best")) == 1


@pytest.mark.parametrize(
    ("refresh", "printed"), [(1, [1, 2, 3, 4, 5, 6]), (2, [1, 3, 4, 5, 6]), (4, [3, 4, 6]), (100, [4, 6]), (0, [])]
)
def test_refresh(refresh, printed):
    console = Console()
    printer = console.printer(1, refresh=refresh)
    printer.update([report(0, [-1.0] * 6, status=Status.CONVERGED_OBJECTIVE, resets=[4])])
    assert [int(row[0]) for row in fields(console.lines())] == printed
    assert len(console.lines("Initial log")) == len(console.lines("Best Iter:")) == (refresh > 0)


def test_notes():
    console = Console()
    printer = console.printer(1, refresh=100)
    printer.update([report(0, [-1.0] * 6, status=Status.CONVERGED_OBJECTIVE, resets=[4])])
    assert len(console.lines("LS failed, Hessian reset")) == 1


@pytest.mark.parametrize(
    ("status", "best", "expected"),
    [
        (Status.LINE_SEARCH_FAILED, 1, [("out", "Optimization terminated"), ("out", "Path [1] :Best Iter: [1]")]),
        (Status.CONVERGED_OBJECTIVE, -1, [("err", "Path [1] :Failure: None of"), ("err", "Pathfinder iteration: 0")]),
        (
            Status.NO_FINITE_ELBO,
            -1,
            [("err", "Path [1] :Failure: None of"), ("err", "Pathfinder iteration: 0 failed.")],
        ),
        (
            Status.LINE_SEARCH_FAILED_AT_START,
            -1,
            [("err", "Optimization terminated with error"), ("err", "Pathfinder iteration: 0 failed.")],
        ),
        (
            Status.INTERRUPTED_AT_START,
            -1,
            [("err", "Path [1] :Stopped by a"), ("err", "Pathfinder iteration: 0 failed.")],
        ),
    ],
)
def test_ends(status, best, expected):
    console = Console()
    printer = console.printer()
    printer.update([report(0, [-1.0], status=status, best=(best, -1.0))])
    ends = console.messages[-len(expected) :]
    assert [stream for stream, _ in ends] == [stream for stream, _ in expected]
    for (_, text), (_, beginning) in zip(ends, expected, strict=True):
        assert text.startswith(beginning)


def test_paths_without_a_start():
    console = Console()
    printer = console.printer(init_failures={1: ("was wrong", "because")})
    failure = {"status": Status.INITIALIZATION_FAILED, "best": (-1, -np.inf)}
    printer.update([report(index, [], rejected=[False], **failure) for index in (0, 1)])
    failed = console.messages[2][1]
    assert console.messages == [
        ("out", texts.rejected_zero_density()),
        ("out", ""),
        ("err", failed),
        ("err", "Pathfinder iteration: 0 failed."),
        ("out", "was wrong\n"),
        ("err", "because"),
        ("err", "Pathfinder iteration: 1 failed."),
    ]
    assert failed.startswith("Initialization between (-2, 2) failed after 100 attempts.")
    assert failed.endswith("Initialization failed.")


@pytest.mark.parametrize("refresh", [0, 1])
def test_every_rejected_point_is_printed_once(refresh):
    console = Console()
    printer = console.printer(refresh=refresh)
    printer.update([report(0, [-1.0], rejected=[False, True, False])])
    printer.update([report(0, [-1.0], rejected=[False, True, False], start=2, status=Status.CONVERGED_OBJECTIVE)])
    zero, gradient = texts.rejected_zero_density(), texts.rejected_gradient()
    assert [text for _, text in console.messages[:3]] == [zero, gradient, zero]
    assert len(console.lines("Rejecting")) == 3
    if refresh:
        assert console.messages[3] == ("out", "Path [1] :Initial log joint density = -5.000000")


def test_a_single_path_has_no_number_of_failure():
    console = Console()
    console.printer(1).update([report(0, [], rejected=[True], status=Status.INITIALIZATION_FAILED, best=(-1, -np.inf))])
    assert console.lines("Pathfinder iteration") == []


def test_paths_that_were_never_reported_as_ended():
    console = Console()
    printer = console.printer(3, first_id=5)
    printer.update([report(0, [-1.0]), report(1, [-2.0])])
    printer.finish([Status.INTERRUPTED, Status.ELBO_STALLED, Status.INTERRUPTED_AT_START])
    assert [line[:8] for line in console.lines("Best Iter:")] == ["Path [5]", "Path [6]"]
    assert console.lines("Pathfinder iteration") == ["Pathfinder iteration: 2 failed."]
    before = list(console.messages)
    printer.finish([Status.INTERRUPTED] * 3)
    assert console.messages == before
