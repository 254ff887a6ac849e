"""The benchmark of verdicts: which draws it counts as good and bad, and which verdicts as wrong."""

import math

import numpy as np
import pytest

import pathfinder
from benchmarks import posteriors, verdicts
from benchmarks.verdicts import Case, Judged


def fit_of(ratio, is_reliable, way="default", name="a"):
    return Judged(name, way, 1, ratio, "weights", 0.3, 500.0, math.nan, is_reliable)


FITS = [
    fit_of(1.5, True),
    fit_of(1.5, False),
    fit_of(3.0, True),
    fit_of(3.0, False),
    fit_of(3.1, True, name="b"),
    fit_of(3.1, False, name="b"),
    fit_of(1.0, False, "no refinement"),
    fit_of(9.0, True, "no refinement"),
]


def test_draw_sets_are_counted_by_quality_and_verdict():
    rows = {row[0]: row[1:] for row in verdicts.counts_table(FITS, 1).rows}
    assert rows["default"] == ["6", "1", "1", "1", "1", "1", "1"]
    assert rows["no refinement"] == ["2", "0", "1", "0", "0", "1", "0"]
    assert rows["300 draws"] == ["0"] * 7


def test_wrong_verdicts_are_listed():
    """Of fits that are bad on purpose only those whose bad draws are called reliable."""
    rows = verdicts.offenders_table(FITS).rows
    assert [(row[0], row[1], row[3], row[-1]) for row in rows] == [
        ("a", "default", "1.50", "unreliable"),
        ("b", "default", "3.10", "reliable"),
        ("a", "no refinement", "9.00", "reliable"),
    ]


def test_default_fits_by_posterior():
    first, second = verdicts.posteriors_table(FITS).rows
    assert first == ["a", "2.25", "3.00", "0", "0.30", "500", "", "2/4"]
    assert second == ["b", "3.10", "3.10", "0", "0.30", "500", "", "1/2"]


@pytest.mark.parametrize("way", ["300 draws", "two paths of ten iterations"])
def test_a_fit_is_judged_beside_its_distance(way):
    """Exact draws score their floor."""
    model = pathfinder.Model.from_log_density(lambda x: -0.5 * (x**2).sum(), np.zeros(2))
    counts = []
    case = Case("normal", model, lambda draws: 0.2, lambda count: counts.append(count) or 0.1)
    found = verdicts.judged(case, way, 1)
    assert found is not None
    assert counts == [verdicts.WAYS[way].get("num_psis_draws", 1000)]
    assert (found.ratio, found.draws_from, found.is_reliable) == (2.0, "weights", True)


def test_a_fit_that_fails_is_left_out():
    model = pathfinder.Model.from_log_density(lambda x: (x * np.nan).sum(), np.zeros(2))
    assert verdicts.judged(Case("none", model, lambda draws: 0.0, lambda count: 1.0), "default", 1) is None


@pytest.mark.skipif(
    posteriors.directory() is None,
    reason="the folder of posteriors is absent (../shared/posteriors, or set PATHFINDER_POSTERIORS)",
)
def test_posteriors_are_found_by_name():
    (case,) = verdicts.cases(["arK-arK"])
    assert case.name == "arK-arK"
    assert case.floor(300) > case.floor(1000)
