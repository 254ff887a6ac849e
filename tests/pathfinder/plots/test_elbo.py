"""ELBOs along the paths."""

import dataclasses
import re

import numpy as np
import pytest

from pathfinder.plots._elbo import ElboCurve, draw_elbos
from tests.pathfinder.plots.lines import legend_texts, lines


def test_curves_bands_and_stars_are_those_of_the_paths(result):
    ax = result.plot("elbo")
    curves = lines(ax, marker="o")
    stars = np.concatenate(lines(ax, marker="*"))
    for path, curve in zip(result.paths, curves, strict=True):
        is_finite = np.isfinite(path.iterations.elbo)
        np.testing.assert_array_equal(curve[:, 0], path.iterations.iteration[is_finite])
        np.testing.assert_array_equal(curve[:, 1], path.iterations.elbo[is_finite])
    np.testing.assert_array_equal(stars, [[path.best_iteration, path.elbo] for path in result.paths])
    path, band = result.paths[0], ax.collections[0].get_paths()[0].vertices
    row = np.argmax(path.iterations.iteration == path.best_iteration)
    own = band[band[:, 0] == path.best_iteration][:, 1]
    middle, error = path.iterations.elbo[row], path.iterations.elbo_standard_error[row]
    assert (own.min(), own.max()) == pytest.approx((middle - error, middle + error))


def test_refined_levels(in_two):
    ax = in_two.plot("elbo")
    levels = {line[0, 1] for line in lines(ax, linestyle="--", marker="None")}
    assert levels == {mode.elbo for mode in in_two.refinement.modes}
    assert {f"refined from path {mode.path}" for mode in in_two.refinement.modes} <= set(legend_texts(ax))


def test_the_best_part_is_shown_and_the_rest_is_counted(result):
    window = 2.0
    ax = result.plot("elbo", window=window)
    values = np.concatenate([*(path.iterations.elbo for path in result.paths), [path.elbo for path in result.paths]])
    best, top = values.max(), max(values.max(), *(mode.elbo for mode in result.refinement.modes))
    bottom, upper = ax.get_ylim()
    assert bottom < best - window < top < upper
    assert upper - bottom < 1.2 * (window + top - best)
    hidden = int(re.search(r"(\d+) lower estimates? not shown", ax.get_title())[1])
    assert hidden == np.sum(values < best - window)
    assert "not shown" not in result.plot("elbo", window=np.inf).get_title()


def test_what_is_not_finite_is_left_out():
    elbo = np.array([np.nan, -np.inf, -3.0])
    curve = ElboCurve(0, np.arange(3), elbo, np.full(3, np.nan), 2, -3.5, np.nan)
    none = np.zeros(0)
    failed = ElboCurve(1, none, none, none, -1, -np.inf, np.nan)
    ax = draw_elbos([curve, failed], {}, 30, None)
    assert [len(line) for line in lines(ax, marker="o")] == [1]
    np.testing.assert_array_equal(lines(ax, marker="*"), [[[2, -3.5]]])
    with pytest.raises(ValueError, match="No path has a finite ELBO"):
        draw_elbos([curve._replace(elbo=np.full(3, np.nan), best_elbo=-np.inf)], {}, 30, None)


def test_paths_far_below_the_refined_level_are_seen():
    elbo = np.array([-90.0, -70.0, -65.0])
    curve = ElboCurve(0, np.arange(1, 4), elbo, np.ones(3), 3, -66.0, 1.0)
    bottom, top = draw_elbos([curve], {0: 30.0}, 30.0, None).get_ylim()
    assert bottom < -90.0
    assert top > 30.0


def test_windows_are_positive(result):
    for window in (0, -1, np.nan):
        with pytest.raises(ValueError, match="`window` must be greater than 0, but it is"):
            result.plot("elbo", window=window)


def test_many_paths_are_not_in_the_legend(result):
    many = dataclasses.replace(result, paths=result.paths * 3)
    assert not any(text.startswith("path ") for text in legend_texts(many.plot("elbo")))
    assert "path 0" in legend_texts(result.plot("elbo"))
