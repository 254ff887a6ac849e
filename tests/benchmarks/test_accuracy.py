"""The accuracy benchmark: what it counts, marks and prints."""

import math

import jax
import numpy as np
import pytest

import pathfinder
from benchmarks import accuracy, posteriors
from benchmarks.accuracy import Comparison, Measures, Run, Summary
from benchmarks.tables import Table


NAME = "eight_schools-eight_schools_noncentered"

needs_posteriors = pytest.mark.skipif(
    posteriors.directory() is None,
    reason="the folder of posteriors is absent (../shared/posteriors, or set PATHFINDER_POSTERIORS)",
)


def measures(**changes):
    return Measures(0.1, 0.5, 5000.0, 100.0, 1250.0, 25.0, 0.02)._replace(**changes)


def comparison(**changes):
    stan = Summary.of([Run(measures(), 4, 4)] * 2)
    return Comparison("normal", 0.04, stan, {"plain": Summary.of([Run(measures(**changes), 4, 4)])})


def test_a_summary_is_of_the_runs_that_gave_draws():
    runs = [Run(measures(w1=w1), 4, 3) for w1 in (0.3, 0.1, 0.2)] + [Run(None, 4, 0)]
    summary = Summary.of(runs)
    assert summary.median.w1 == 0.2
    assert (summary.paths, summary.paths_succeeded) == (16, 9)
    assert (summary.seeds, summary.seeds_succeeded) == (4, 3)


def test_a_summary_without_any_draws_is_nan_and_outside_the_limits():
    failed = comparison()._replace(variants={"plain": Summary.of([Run(None, 4, 0)])})
    assert math.isnan(failed.variants["plain"].median.w1)
    lines = accuracy.outside_limits([failed], ["plain"])
    assert len(lines) == len(accuracy.LIMITS) + 1
    assert lines[-1] == "plain, normal: 1 of 1 seeds gave no draws."


@pytest.mark.parametrize("measure", accuracy.LIMITS)
def test_ratios_above_their_limit_are_marked_and_listed(measure):
    limit = accuracy.LIMITS[measure]
    base = getattr(measures(), measure)
    within, above = (comparison(**{measure: base * limit * factor}) for factor in (0.999, 1.001))
    assert accuracy.outside_limits([within], ["plain"]) == []
    assert accuracy.MARK not in accuracy.marked(within, "plain", measure)
    assert len(accuracy.outside_limits([above], ["plain"])) == 1
    assert accuracy.marked(above, "plain", measure).endswith(accuracy.MARK)


def test_a_gradient_counts_as_two_evaluations():
    assert measures(densities=10.0, gradients=3.0).evaluations == 16


def test_the_geometric_mean_of_the_ratios_is_in_the_table():
    comparisons = [comparison(w1=0.05), comparison(w1=0.2)]
    table = accuracy.distance_table(comparisons, ["plain"])
    column = table.header.index("plain / Stan")
    assert [row[column] for row in table.rows] == ["0.500", f"2.000 {accuracy.MARK}", "1.000", "2.000"]


def test_a_table_is_markdown_or_aligned_text():
    table = Table("Sizes", ["name", "size"], [["a", "1"], ["long name", "10"]], ["A note."])
    assert table.render(markdown=True).splitlines() == [
        "**Sizes**",
        "",
        "| name      | size |",
        "|-----------|-----:|",
        "| a         |    1 |",
        "| long name |   10 |",
        "",
        "- A note.",
    ]
    assert table.render().splitlines()[2:6] == ["name       size", "", "a             1", "long name    10"]


def test_a_fit_that_fails_gives_no_measures():
    model = pathfinder.Model.from_log_density(lambda x: jax.numpy.sum(x) * jax.numpy.nan, np.zeros(2))
    assert accuracy.run("any", model, 1, {}) == Run(None, 4, 0)


@needs_posteriors
def test_stan_counts_are_consistent():
    """ELBO draws of all iterations and 975 further draws of each path that succeeded."""
    runs = [run.measures for run in accuracy.stan_runs(NAME)]
    rows = posteriors.stan_baseline()[NAME, "multi"]
    assert [run.densities for run in runs if run] == [25 * row["iters"] + 975 * row["paths_ok"] for row in rows]


@needs_posteriors
def test_evaluations_are_counted_as_stan_counts():
    model = posteriors.load(NAME)
    measured = accuracy.run(NAME, model, 1, {"num_draws": 50, "num_psis_draws": 50, **accuracy.PLAIN}).measures
    assert measured is not None
    result = pathfinder.fit(model, seed=1, progress=False, num_draws=50, num_psis_draws=50, **accuracy.PLAIN)
    iterations = sum(path.num_iterations for path in result.paths)
    assert measured.densities == 25 * iterations + 50 * len(result.paths)
    assert measured.densities_per_path == measured.densities / 4


@needs_posteriors
def test_it_prints_every_variant(capsys, monkeypatch):
    monkeypatch.setattr(accuracy, "VARIANTS", {"plain": {}, "fewer": {"num_draws": 100, "num_psis_draws": 100}})
    accuracy.main(["--posterior", NAME, "--seeds", "1", "--markdown", "--variant", "plain", "fewer"])
    printed = capsys.readouterr().out
    assert "| fewer / Stan |" in printed
    assert "**Cost of plain**" in printed
    assert "**Cost of fewer**" in printed
    assert printed.count(f"| {NAME} |") == 3
