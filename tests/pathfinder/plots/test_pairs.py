"""Scatter matrices."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from pathfinder.plots._columns import chosen
from pathfinder.plots._pairs import draw_pairs
from tests.pathfinder.plots.lines import legend_texts, lines


def test_panels_hold_the_draws(result):
    axes = result.plot("pairs")
    columns = [result.draws["tau"], *result.draws["x"].T]
    assert [axes[2, place].get_xlabel() for place in range(3)] == ["tau", "x[1]", "x[2]"]
    for row in range(3):
        for column in range(row):
            points = np.concatenate(lines(axes[row, column], marker="."))
            np.testing.assert_array_equal(
                points[np.lexsort(points.T)], _sorted(np.column_stack([columns[column], columns[row]]))
            )
    counts = sum(patch.get_path().vertices[:, 1].max() for patch in axes[0, 0].patches)
    assert counts > 0
    assert not any(axes[0, column].axison for column in (1, 2))


def _sorted(points):
    return points[np.lexsort(points.T)]


@pytest.mark.parametrize("color", ["path", "mode"])
def test_colours_are_those_of_paths(in_two, color):
    axes = in_two.plot("pairs", color=color)
    for path in np.unique(in_two.path_ids):
        own = np.concatenate(lines(axes[1, 0], marker=".", color=f"C{path}"))
        np.testing.assert_array_equal(_sorted(own), _sorted(in_two.draws["x"][in_two.path_ids == path]))
    kind = {"path": "from path", "mode": "mode of path"}[color]
    expected = [f"{kind} {path}: {np.sum(in_two.path_ids == path)} draws" for path in np.unique(in_two.path_ids)]
    assert legend_texts(axes[0, 1]) == expected
    assert len(expected) == 2


def test_weighted_draws_weigh_in_histograms(in_two):
    weighted = in_two.weighted()
    ax = weighted.plot("pairs", var_names="x[1]")[0, 0]
    outline = np.concatenate([patch.get_path().vertices for patch in ax.patches])  # of stacks
    edges = np.unique(outline[:, 0])
    inside = (weighted.draws["x"][:, 0] >= edges[0]) & (weighted.draws["x"][:, 0] <= edges[-1])
    expected = np.histogram(weighted.draws["x"][inside, 0], edges, weights=weighted.weights[inside])[0]
    assert outline[:, 1].max() == pytest.approx(expected.max())


def test_a_reference_is_grey(result):
    reference = {"tau": np.array([0.5, 0.7, 0.2]), "x": np.arange(6.0).reshape(3, 2)}
    axes = result.plot("pairs", reference=reference)
    np.testing.assert_array_equal(lines(axes[1, 0], color="0.75")[0], [[0.5, 0], [0.7, 2], [0.2, 4]])
    assert legend_texts(axes[0, 2])[-1] == "reference"
    left, right = axes[2, 2].get_xlim()
    assert left < 1
    assert right > 4.9


def test_names(result):
    assert result.plot("pairs", var_names=["x"]).shape == (2, 2)
    assert result.plot("pairs", ["x[2]", "tau"]).shape == (2, 2)
    with pytest.raises(ValueError, match="There is no variable 'tao'; did you mean 'tau'?"):
        result.plot("pairs", ["tao"])
    with pytest.raises(ValueError, match="`color` must be one of 'path', 'mode', but it is 'chain'"):
        result.plot("pairs", color="chain")


def test_names_are_written_as_they_are_and_long_ones_without_their_middle():
    names = ["$x", r"$\nothing$", "a_name_that_goes_on_and_on_for_long[3,14]"]
    values = np.random.default_rng(0).normal(size=(20, 3))
    figure = Figure()
    axes = draw_pairs(names, values, np.full(20, 0.05), np.zeros(20, int), "path", {}, figure)
    figure.canvas.draw()  # would raise if a name were a formula
    shown = [axes[2, place].get_xlabel().replace("\\$", "$") for place in range(3)]
    assert shown == [*names[:2], "a_name_tha\N{HORIZONTAL ELLIPSIS}long[3,14]"]


def test_too_many_scalars(result):
    names = [f"y[{place}]" for place in range(1, 21)]
    with pytest.raises(ValueError, match="20 scalars are named, and at most 12 can be drawn; name single ones"):
        chosen(names, "y", 12)
    assert chosen([*names, "mu"], None, 3) == [20, 0, 1]


def test_fits_that_were_not_refined_have_no_modes(unweighted):
    assert unweighted.plot("pairs").shape == (3, 3)
    with pytest.raises(ValueError, match="not refined, so that nothing is known of modes"):
        unweighted.plot("pairs", color="mode")
