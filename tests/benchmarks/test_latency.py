"""The latency benchmark: ratios are of what they say, and what each process measures is that."""

import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from benchmarks import latency
from benchmarks.latency_cases import (
    COMPILED,
    ENGINES,
    OURS,
    PROBLEMS,
    STAN_PROGRAMS,
    Cost,
    logistic_regression,
    measured,
    three_level_hierarchy,
)


ONE = latency.Scale(repeats=1, later_calls=2, problems=("eight schools",), peer_problems=("eight schools",))
MEASURED = latency.Measured(
    limits={"eight schools": 0.5},
    costs={
        (OURS, "eight schools"): Cost(0.6, 0.7, 0.1, 2, 0.02, 0.03, 0),
        (COMPILED, "eight schools"): Cost(12.0, 13.0, 0.1, 57, 0.04, 0.04, 0),
        ("stanli, NUTS", "eight schools"): Cost(0.3, 0.4, 0.0, 0, 0.2, 0.2, 0),
    },
    commands={latency.IMPORT: (0.5, 0.6), "later run": (0.8, 0.9)},
)


def cells(table, column):
    return [row[table.header.index(column)] for row in table.rows]


def test_first_fits_are_compared_with_the_limit_and_the_compiled_driver():
    table = latency.first_fits(MEASURED, ONE)
    assert cells(table, "fit / limit") == ["1.20", "1.20"]
    assert cells(table, "fit / compiled driver")[0] == "0.050"


def test_later_fits_are_compared_by_both_clocks():
    row = latency.later_fits(MEASURED, ONE).rows[0]
    assert [row[3], row[6]] == ["0.50", "0.75"]


def test_other_engines_are_compared_with_our_fit_of_the_same_problem():
    table = latency.peers(MEASURED, ONE)
    assert table.rows == [["stanli, NUTS: eight schools", "0.30", "0.40", "2.000", "0.200", "0.100"]]


def test_engines_that_are_not_installed_are_named(monkeypatch):
    monkeypatch.setattr(latency, "find_spec", lambda package: None if package == "blackjax" else package)
    assert "Not installed, so left out: BlackJAX, Pathfinder." in latency.peers(MEASURED, ONE).notes


def test_runs_of_the_command_line_are_compared_with_the_import_of_jax():
    assert cells(latency.commands(MEASURED, ONE), "CPU / import of jax") == ["1.00", "1.60"]


def test_rows_are_as_wide_as_their_headers():
    tables = [table(MEASURED, ONE) for section in latency.SECTIONS.values() for table in section]
    assert all(len(row) == len(table.header) for table in tables for row in table.rows)


def test_every_peer_is_an_engine_and_fits_known_problems():
    assert {OURS, COMPILED, *latency.PEERS} == set(ENGINES)
    assert {problem for _, problems, _ in latency.PEERS.values() for problem in problems} <= set(PROBLEMS)
    assert set(STAN_PROGRAMS) <= set(PROBLEMS)


def test_of_several_processes_the_least_counts():
    costs = [Cost(3.0, 4.0, 0.1, 2, 0.2, 0.3, 0), Cost(2.0, 5.0, 0.2, 2, 0.3, 0.2, 0)]
    assert latency.least(costs) == Cost(2.0, 4.0, 0.1, 2, 0.2, 0.2, 0)


def test_cpu_time_is_that_of_the_process_and_what_it_starts():
    began = time.process_time()

    def sleep_and_start():
        time.sleep(0.3)
        subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)

    cpu, wall, _ = measured(sleep_and_start)
    own = time.process_time() - began
    assert own < cpu < wall
    of_process, elapsed, printed = latency.finished(
        [sys.executable, "-c", "import time; time.sleep(0.3); print(1)"], {}
    )
    assert 0 < of_process < elapsed - 0.2
    assert printed == "1\n"


def test_a_process_that_fails_is_an_error():
    with pytest.raises(subprocess.CalledProcessError, match="status 3"):
        latency.finished([sys.executable, "-c", "raise SystemExit(3)"], {})


@pytest.mark.slow
def test_the_fit_of_a_fresh_process_compiles_two_programs_and_later_ones_none():
    taken = Cost(*latency.in_fresh_process("cost", OURS, "eight schools", 2))
    assert (taken.programs, taken.later_programs) == (2, 0)
    assert 0 < taken.later < taken.first


def test_problems_can_be_fitted():
    with jax.enable_x64(True):
        problem = logistic_regression(num_rows=20, dim=2)
        assert np.isfinite(problem.model.log_density(np.zeros(2)))
        hierarchy = three_level_hierarchy().model
        assert hierarchy.dim == 41
        assert np.isfinite(hierarchy.log_density(np.zeros(41)))


def test_it_prints_the_tables_of_the_chosen_sections(capsys, monkeypatch):
    seen = []
    monkeypatch.setattr(latency, "measure", lambda scale, sections: seen.append((scale, sections)) or MEASURED)
    latency.main(["--section", "fits", "--problem", "eight schools", "--repeat", "2", "--markdown"])
    printed = capsys.readouterr().out
    assert "**First fits**" in printed
    assert "**Command line" not in printed
    assert seen == [(ONE._replace(repeats=2, later_calls=latency.FULL.later_calls), ["fits"])]
