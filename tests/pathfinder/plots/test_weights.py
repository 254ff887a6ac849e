"""Importance weights by rank."""

import numpy as np
import pytest

import psis
from pathfinder.plots._weights import draw_weights
from tests.pathfinder.plots.lines import legend_texts, lines


def test_points_are_the_weights_and_the_line_those_of_the_fit(result):
    ax = result.plot("weights")
    pool = result.pool
    ratios = np.sort(pool.log_p - pool.log_proposal)[::-1]
    smoothed = psis.smooth_log_weights(ratios)
    tail, rest = lines(ax, marker="o")[0], lines(ax, marker=".")[0]
    assert len(tail) == smoothed.tail_length
    points = np.concatenate([tail, rest])
    np.testing.assert_array_equal(points[:, 0], np.arange(1, len(pool) + 1))
    np.testing.assert_allclose(points[:, 1], np.exp(ratios - smoothed.log_mean_ratio))
    fitted = lines(ax, linestyle="-", marker="None")[0]
    np.testing.assert_allclose(fitted[:, 1], np.sort(np.exp(pool.log_weights) * len(pool))[::-1][: len(tail)])
    assert f"generalized Pareto, shape k-hat = {result.pareto_k:.2f}" in legend_texts(ax)
    assert f"effective sample size {result.effective_sample_size:.0f} of {len(pool)}" in ax.get_title()


def test_a_draw_far_out_does_not_take_the_axis():
    ratios = np.random.default_rng(1).normal(size=400)
    ratios[:2] = [-500.0, -np.inf]
    bottom, top = draw_weights(ratios, None).get_ylim()
    assert bottom == 1e-4
    assert 1 < top < 1e3


def test_equal_weights_have_no_tail():
    ax = draw_weights(np.zeros(100), None)
    assert not lines(ax, marker="o")
    np.testing.assert_allclose(lines(ax, marker=".")[0][:, 1], 1.0)
    assert "k-hat -inf" in ax.get_title()


def test_fits_without_weights(unweighted):
    with pytest.raises(ValueError, match="no importance weights, because the fit was made with calculate_lp=False"):
        unweighted.plot("weights")
