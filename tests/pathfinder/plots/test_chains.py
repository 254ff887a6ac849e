"""Nested R-hat and traces."""

import dataclasses

import numpy as np
import pytest

from tests.pathfinder.plots.lines import legend_texts, lines
from tests.pathfinder.results.chains import NUM_CHAINS, SUPERCHAINS, chains_of, independent


NAMES = ["x[1]", "x[2]", "tau", "log density"]


def test_points_are_nested_rhats(with_chains):
    ax = with_chains.plot("chains")[0]
    points = np.concatenate(lines(ax, marker="o"))
    points = points[np.argsort(-points[:, 1])]
    np.testing.assert_array_equal(points[:, 0], with_chains.chains.mixing_of_all.nested_rhat)
    assert [text.get_text() for text in ax.get_yticklabels()] == NAMES
    assert 1.1 in [line[0, 0] for line in lines(ax, linestyle="--")]


def test_traces_are_the_states_and_means_of_superchains(with_chains):
    ax = with_chains.plot("chains", var_names="tau")[1]
    states = with_chains.chains.states[..., 2]
    drawn = lines(ax)
    assert len(drawn) == NUM_CHAINS + SUPERCHAINS
    np.testing.assert_array_equal(np.stack([line[:, 1] for line in drawn[:NUM_CHAINS]], axis=1), states)
    means = states.reshape(len(states), SUPERCHAINS, -1).mean(axis=-1)
    np.testing.assert_allclose(np.stack([line[:, 1] for line in drawn[NUM_CHAINS:]], axis=1), means)


def test_the_worst_are_shown_first(with_chains):
    states = independent()
    states[:, :5, 1] += 9.0  # one superchain has another mean
    states[:, 5:10, 1] -= 9.0
    apart = dataclasses.replace(with_chains, chains=chains_of(states))
    axes = apart.plot("chains")
    assert len(axes) == 4
    assert axes[1].get_title().startswith("x[2] (nested R-hat ")
    assert "not mixed" in legend_texts(axes[0])
    assert "not mixed" not in legend_texts(with_chains.plot("chains")[0])


def test_names_and_axes(with_chains):
    axes = with_chains.plot("chains", ["x", "tau"])
    assert [ax.get_title().split(" (")[0] for ax in axes[1:]] == ["x[1]", "x[2]", "tau"]
    assert with_chains.plot("chains", ["log density"])[1].get_title().startswith("log density")
    given = axes[0].figure.subplots(1, 2)
    np.testing.assert_array_equal(with_chains.plot("chains", "tau", ax=given), given)
    with pytest.raises(ValueError, match="There is no variable 'tao'; did you mean 'tau'?"):
        with_chains.plot("chains", "tao")


def test_fits_without_chains(result):
    with pytest.raises(ValueError, match="The fit has no chains; make it with chains=True"):
        result.plot("chains")
