"""Axes that are given, and new ones."""

import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from pathfinder.plots import _axes
from pathfinder.plots._by_name import KINDS, figure_with


def test_new_axes_are_those_of_pyplot_and_nothing_else_of_it_changes(result, pyplot):
    before = dict(matplotlib.rcParams)
    ax = result.plot("elbo")
    assert pyplot.get_fignums() == [ax.figure.number]
    assert dict(matplotlib.rcParams) == before


def test_a_figure_gets_the_axes_without_pyplot(result, pyplot):
    figure = Figure()
    axes = result.plot("pairs", ax=figure)
    assert set(figure.axes) == set(axes.ravel())
    assert tuple(figure.get_size_inches()) == pytest.approx((5.4, 5.4))
    assert pyplot.get_fignums() == []
    part = Figure().subfigures(1, 2)[1]
    assert result.plot("elbo", ax=part).figure is part


def test_a_figure_with_axes_keeps_its_size():
    figure = Figure(figsize=(3, 2))
    figure.subplots()
    _axes.one_axes(figure)
    assert tuple(figure.get_size_inches()) == (3, 2)


def test_axes_that_are_given_are_drawn_on(result, pyplot):
    for kind in ("elbo", "weights", "trajectory"):
        ax = Figure().subplots()
        assert result.plot(kind, ax=ax) is ax
    axes = Figure().subplots(3, 3)
    np.testing.assert_array_equal(result.plot("pairs", ax=axes), axes)
    assert pyplot.get_fignums() == []
    with pytest.raises(ValueError, match="`ax` must be a figure or 9 axes, but it has 1"):
        result.plot("pairs", ax=ax)


def test_kinds(result):
    for kind in ("elbos", "elbo ", None):
        with pytest.raises(
            ValueError, match="There is no plot .* There are 'trajectory', 'elbo', 'weights', 'pairs', "
        ):
            result.plot(kind)
    with pytest.raises(ValueError, match="'elbos'; did you mean 'elbo'\\? There are"):
        result.plot("elbos")
    assert figure_with(result, "elbo", window=5.0).axes[0].get_title().startswith("ELBO")
    assert set(KINDS) == {name for name in dir(sys.modules["pathfinder.plots"]) if not name.startswith("_")}


@pytest.mark.parametrize("missing", ["matplotlib.pyplot", "matplotlib.figure"])
def test_matplotlib_is_missing(missing, result, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModuleNotFoundError, match="Plots need matplotlib; install it with `pip install"):
        result.plot("elbo") if missing == "matplotlib.pyplot" else figure_with(result, "elbo")
