"""Intervals beside those of a reference."""

import dataclasses
from types import SimpleNamespace

import arviz
import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from pathfinder import Variable
from pathfinder.plots import _compare
from pathfinder.plots._columns import scalars
from pathfinder.plots._reference import reference_draws
from tests.pathfinder.plots.lines import legend_texts, lines


@pytest.fixture
def reference():
    rng = np.random.default_rng(0)
    return {"tau": rng.gamma(2.0, size=(4, 250)), "x": rng.normal(2.0, 3.0, size=(4, 250, 2))}


def rows(ax):
    """By its name the medians, and the distance in the label, of every row."""
    labels = [text.get_text().split() for text in ax.get_yticklabels()]
    medians = {"0.55": lines(ax, marker="o", color="0.55"), "C0": lines(ax, marker="o", color="C0")}
    return {
        name: (medians["0.55"][place][0, 0], medians["C0"][place][0, 0], float(value))
        for place, (name, value) in enumerate(labels)
    }


def test_numbers_are_those_of_the_draws(result, reference):
    ax = result.plot("compare", reference)
    found = rows(ax)
    assert set(found) == {"tau", "x[1]", "x[2]"}
    for name, (own, other) in {
        "tau": (result.draws["tau"], reference["tau"].ravel()),
        "x[2]": (result.draws["x"][:, 1], reference["x"][..., 1].ravel()),
    }.items():
        middle, median, value = found[name]
        assert middle == pytest.approx((np.median(other) - other.mean()) / other.std(), abs=0.02)
        assert median == pytest.approx((np.median(own) - other.mean()) / other.std(), abs=0.02)
        assert value == pytest.approx(wasserstein_distance(own, other) / other.std(), abs=0.006)
    assert set(legend_texts(ax)) == {"reference", "Pathfinder"}


def test_intervals_hold_half_and_nine_tenths(result, reference):
    ax = result.plot("compare", reference, var_names="tau")
    own, other = result.draws["tau"], reference["tau"]
    for width, probabilities in ((1.2, (0.05, 0.95)), (3.5, (0.25, 0.75))):
        interval = lines(ax, color="C0", linewidth=width)[0][:, 0]
        expected = (np.quantile(own, probabilities, method="inverted_cdf") - other.mean()) / other.std()
        np.testing.assert_allclose(interval, expected)


def test_forms_of_a_reference(result, reference):
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in reference.items()}
    groups = {"posterior": reference}
    data = arviz.from_dict(**groups) if arviz.__version__.startswith("0.") else arviz.from_dict(groups)
    expected = reference_draws(reference, result.model.variables, ["tau", "x[2]"])
    for other in (flat, data):
        found = reference_draws(other, result.model.variables, ["tau", "x[2]"])
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)
    own = reference_draws(result, result.model.variables, ["x[1]"])
    np.testing.assert_array_equal(own["x[1]"], result.draws["x"][:, 0])


def test_elements_of_matrices_are_found_by_their_names():
    draws = np.arange(60.0).reshape(2, 5, 2, 3)
    found = reference_draws({"m": draws}, [Variable("m", (2, 3))], ["m[1,2]", "m[2,1]"])
    np.testing.assert_array_equal(found["m[1,2]"], draws[..., 0, 1].ravel())
    np.testing.assert_array_equal(found["m[2,1]"], draws[..., 1, 0].ravel())
    own = SimpleNamespace(variables=[Variable("m", (2, 3))])
    names, values = scalars(own, {"m": draws[0]}, ["m[2,1]", "m[1,2]"], 5)
    assert names == ["m[2,1]", "m[1,2]"]
    np.testing.assert_array_equal(values, np.column_stack([draws[0, :, 1, 0], draws[0, :, 0, 1]]))


def test_a_reference_that_does_not_fit(result, reference):
    with pytest.raises(ValueError, match=r"'x' with shape \(4, 250, 3\); its draws should have shape \(draw, 2\) or"):
        result.plot("compare", {**reference, "x": np.zeros((4, 250, 3))})
    with pytest.raises(ValueError, match=r"`reference` has draws of none of x\[1\], x\[2\]"):
        result.plot("compare", {"y": np.zeros(3)}, var_names="x")
    with pytest.raises(ValueError, match="or a dictionary of draws by name, but it is of type ndarray"):
        result.plot("compare", np.zeros(3))


def test_of_many_the_furthest_apart_are_shown(result, reference, monkeypatch):
    monkeypatch.setattr(_compare, "MOST", 2)
    columns = {"tau": result.draws["tau"], "x[1]": result.draws["x"][:, 0], "x[2]": result.draws["x"][:, 1]}
    other = reference_draws(reference, result.model.variables, list(columns))
    apart = {name: wasserstein_distance(own, other[name]) / other[name].std() for name, own in columns.items()}
    ax = result.plot("compare", reference)
    assert len(rows(ax)) == 2
    assert "(1 closer ones are not shown)" in ax.get_title()
    assert set(columns) - set(rows(ax)) == {min(apart, key=lambda name: apart[name])}


def test_chains_are_compared_by_their_states(with_chains, reference):
    ax = with_chains.plot("compare", reference)
    own, other = with_chains.draws["tau"], reference["tau"]
    assert rows(ax)["tau"][1] == pytest.approx((np.median(own) - other.mean()) / other.std(), abs=0.02)


def test_a_constant_reference(result):
    ax = dataclasses.replace(result).plot("compare", {"tau": np.full(10, 2.0)})
    assert np.isfinite(rows(ax)["tau"]).all()
