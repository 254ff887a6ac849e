import math
import re

import pytest

from pathfinder_cli._console import texts as console
from tests.cli.golden import GOLDEN, golden_files, golden_ids, recorded_errors


RUNS = golden_files("*/stdout.txt")
ROW = re.compile(
    r"Path \[(\d+)\] : Iter .*\n +(\d+) +(\S+) +(\S+) +(\S+) +(\S+) +(\S+) +(\d+) +(\S+) +(\S+) {18}$", re.MULTILINE
)


@pytest.mark.parametrize("path", RUNS, ids=golden_ids(RUNS))
def test_every_line_of_a_run_of_cmdstan(path):
    text = path.read_text()
    text = text[text.index("\n\n") + 2 :]
    again = []
    for block in re.findall(r".* Iter  .*\n.*\n|.*\n", text):
        again.append(rewritten(block[:-1]) + "\n")
    assert "".join(again) == text


def rewritten(message):
    """A message, written anew from the numbers in it."""
    if match := ROW.match(message):
        path, iteration, *numbers, evaluations, elbo, best = match.groups()
        progress = console.Progress(
            int(iteration), *map(float, numbers), int(evaluations), elbo=float(elbo), best_elbo=float(best)
        )
        return console.progress_rows(int(path), progress)
    if match := re.match(r"Path \[(\d+)\] :Initial log joint density = (\S+)$", message):
        return console.initial_log_density(int(match[1]), float(match[2]))
    if match := re.match(r"Path \[(\d+)\] :Best Iter: \[(\d+)\] ELBO \((\S+)\) evaluations: \((\d+)\)$", message):
        return console.best_iteration(int(match[1]), int(match[2]), float(match[3]), int(match[4]))
    if match := re.match(r"Total log probability function evaluations:(\d+)$", message):
        return console.total_evaluations(int(match[1]))
    if message.startswith("Warning"):
        return console.more_psis_draws_than_draws()
    match = re.match(r"Pareto k value \((\S+)\) is greater than 0.7.", message)
    assert match is not None, message
    warning = console.pareto_k_warning(float(match[1]), 0.7)
    assert warning.startswith(message)  # and adds what to do
    return message


def test_progress_row_with_a_note():
    row = console.Progress(12, -1e10, 0.5, 2, 1, 1e-3, 301, math.nan, -6.25, console.HESSIAN_RESET_NOTE)
    header, fields = console.progress_rows(3, row).split("\n")
    assert header.startswith("Path [3] : Iter      log prob")
    assert header.endswith(" Notes ")
    assert fields == (
        "             12      -1.000e+10      5.000e-01   2.000e+00    1.000e+00  1.000e-03       301"
        "        nan -6.250e+00LS failed, Hessian reset"
    )


@pytest.mark.parametrize(
    ("iteration", "refresh", "is_last", "note", "due"),
    [
        (1, 1, False, "", True),
        (99, 100, False, "", True),
        (100, 100, False, "", False),
        (5, 100, True, "", True),
        (5, 100, False, "LS failed", True),
        (5, 0, True, "LS failed", False),
        (99, 0, False, "", False),
    ],
)
def test_which_iterations_are_shown(iteration, refresh, is_last, note, due):
    assert console.is_progress_due(iteration, refresh, is_last=is_last, note=note) == due


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        (console.line_search_failed_at_start(), "Optimization terminated with error: Line search failed"),
        (console.line_search_failed_at_start(), " Optimization failed to start, pathfinder cannot be run."),
        (console.line_search_failed_later(), "Optimization terminated with error: Line search failed"),
        (console.no_finite_elbo(2), "Path [2] :Failure: None of the LBFGS iterations completed successfully"),
        (console.rejected_gradient(), "  Gradient evaluated at the initial value is not finite.\n  Stan can't start"),
        (console.pareto_k_warning(1.234, 0.6666), "Pareto k value (1.2) is greater than 0.67."),
        (console.initialization_failed(0, 1), "Initialization failed."),
        (console.initialization_failed(2.5, 100), "Initialization between (-2.5, 2.5) failed after 100 attempts. \n"),
    ],
)
def test_anchors(text, anchor):
    assert anchor in text
    assert not text.endswith("\n")


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("pathfinder num_draws=10", console.more_psis_draws_than_draws()),
        ("init=init_bound.json", console.rejected_zero_density()),
        ("init=init_bound.json", console.initialization_failed(2, 1)),
        ("init=init_bound.json", console.path_failed(3)),
        ("init=init_bound.json", console.no_path_succeeded()),
        ("model that always rejects", console.initialization_failed(2, 100)),
        ("model without parameters", console.no_parameters()),
        ("model that always rejects", console.rejected_log_density_error("Exception: always rejected, x = ")),
        ("eight schools init of wrong length", console.initialization_error("Exception: mismatch in dimension")),
    ],
)
def test_messages_of_cmdstan(title, message):
    (command,) = [c for c in recorded_errors()["commands"] if c["title"] == title]
    assert message in command["stdout"] or message in command["stderr"]


def test_there_are_runs_to_compare_with():
    assert len(RUNS) == len(list(GOLDEN.glob("*/command.txt")))
