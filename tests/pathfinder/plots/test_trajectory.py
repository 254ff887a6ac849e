"""Paths over two parameters."""

import dataclasses

import numpy as np
import pytest

import pathfinder
from pathfinder.plots import _contours
from pathfinder.plots._trajectory import PlanarPath, limits_of
from tests.pathfinder.plots.lines import legend_texts, lines


PLACES = {"x[1]": 0, "x[2]": 1, "tau": 2}


def marginal(normal, pair):
    places = [PLACES[name] for name in pair]
    return np.asarray(normal.mean)[places], np.asarray(normal.to_dense())[np.ix_(places, places)]


def distances(points, mean, covariance):
    away = points - mean
    return np.sqrt(np.einsum("pi,ij,pj->p", away, np.linalg.inv(covariance), away))


@pytest.mark.parametrize("pair", [("x[2]", "tau"), ("tau", "x[1]")])
def test_points_and_ellipses(result, pair):
    ax = result.plot("trajectory", pair)
    places = [PLACES[name] for name in pair]
    curves, stars = lines(ax, marker="o"), lines(ax, marker="*")
    for path, curve, star in zip(result.paths, curves, stars, strict=True):
        points = np.vstack([path.initial_position, path.trajectory.position])
        np.testing.assert_array_equal(curve, points[:, places])
        row = np.flatnonzero(path.iterations.iteration == path.best_iteration)[0]
        np.testing.assert_array_equal(star, path.trajectory.position[row : row + 1, places])
    np.testing.assert_array_equal(
        np.concatenate(lines(ax, marker="s")), [path.initial_position[places] for path in result.paths]
    )
    dashed = iter(lines(ax, linestyle="--", marker="None"))
    for path in result.paths:
        for level in (1, 2):
            np.testing.assert_allclose(distances(next(dashed), *marginal(path.approximation, pair)), level)
    refined = iter(lines(ax, color="black"))
    for mode in result.refinement.modes:
        for level in (1, 2):
            np.testing.assert_allclose(distances(next(refined), *marginal(mode.approximation, pair)), level)
    assert next(refined, None) is None


def test_labels_say_on_which_scale(result):
    ax = result.plot("trajectory", ("x[1]", 2))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x[1]", "log tau")


def test_single_numbers_come_first(result):
    ax = result.plot("trajectory")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("log tau", "x[1]")


def test_labels_of_other_scales():
    from pathfinder import Model, constraints

    model = Model.from_log_density(
        lambda p: -p["b"] * 3 + p["p"] - (p["m"] ** 2).sum(),
        {"p": 0.5, "b": 1.0, "m": np.zeros((2, 2))},
        constraints={"p": constraints.unit_interval, "b": constraints.greater_than(2.0)},
    )
    options = {"seed": 1, "num_draws": 100, "num_psis_draws": 100, "progress": False, "chains": False}
    result = pathfinder.fit(model, save_trajectory=True, **options)
    ax = result.plot("trajectory")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("logit p", "b (unconstrained)")
    assert result.plot("trajectory", (0, 3)).get_ylabel() == "an element of m (number 3), unconstrained"


def test_levels(result):
    ax = result.plot("trajectory", levels=(3,))
    assert len(lines(ax, linestyle="--", marker="None")) == len(result.paths)
    assert "refined normal, 3 sd" in legend_texts(ax)
    assert not lines(result.plot("trajectory", levels=()), color="black")


def test_the_picture_holds_the_draws_and_where_paths_were_best(result):
    ax = result.plot("trajectory", (0, 2))
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    draws = result.unconstrained_draws[:, [0, 2]]
    inside = (left < draws[:, 0]) & (draws[:, 0] < right) & (bottom < draws[:, 1]) & (draws[:, 1] < top)
    assert inside.mean() > 0.97
    for star in np.concatenate(lines(ax, marker="*")):
        assert left < star[0] < right
        assert bottom < star[1] < top


def test_paths_far_away_do_not_make_the_rest_small():
    low, high = np.zeros(2), np.ones(2)
    near, far = (PlanarPath(0, np.full((1, 2), value), 0, None) for value in (2.0, 50.0))
    np.testing.assert_allclose(limits_of(low, high, [far]), [[-0.15, -0.15], [1.15, 1.15]])
    np.testing.assert_allclose(limits_of(low, high, [near, far]), [[-0.3, -0.3], [2.3, 2.3]])


def test_starts_outside_are_counted(result):
    shifted = tuple(
        dataclasses.replace(path, initial_position=path.initial_position + 100.0) for path in result.paths[:2]
    )
    moved = dataclasses.replace(result, paths=shifted + result.paths[2:])
    assert "2 of 4 starts" in moved.plot("trajectory", (0, 1)).get_title()


def test_what_is_missing(result, unweighted):
    with pytest.raises(ValueError, match="did not keep the points of its paths; make it with save_trajectory=True"):
        unweighted.plot("trajectory")
    for pair, words in (
        (("x[1]", "tao"), "no unconstrained parameter 'tao'; did you mean 'tau'?"),
        (("x[1]", 3), "no unconstrained parameter number 3; there are 3"),
        (("tau", "tau"), "two different parameters"),
        (("tau",), "`pair` must be two parameters, such as \\('x\\[1\\]', 'x\\[2\\]'\\)"),
        ("tau", "`pair` must be two parameters"),
    ):
        with pytest.raises(ValueError, match=words):
            result.plot("trajectory", pair)


def test_paths_that_failed_have_their_start_alone(result):
    failed = dataclasses.replace(result.paths[0], trajectory=None, approximation=None, best_iteration=-1)
    some = dataclasses.replace(result, paths=(failed, *result.paths[1:]))
    assert len(lines(some.plot("trajectory"), marker="o")[0]) == 1


def test_contours_of_two_parameters_are_those_of_the_density(in_two):
    contours = _contours.contours_of(in_two, (1, 0), np.array([-5.0, -4.0]), np.array([5.0, 6.0]))
    for row, column in ((0, 0), (20, 110), (119, 3)):
        point = np.array([contours.y[row], contours.x[column]])  # the second parameter is across
        assert contours.values[row, column] == pytest.approx(float(in_two.model.log_density(point)))
    for mass, level in zip(_contours.MASSES[::-1], contours.levels, strict=True):
        assert np.mean(in_two.log_p >= level) == pytest.approx(mass, abs=0.02)


def test_contours_of_more_parameters_hold_so_many_draws(result):
    contours = _contours.contours_of(result, (0, 2), np.array([-2.0, -6.0]), np.array([4.0, 3.0]))
    cell = np.diff(contours.x)[0] * np.diff(contours.y)[0]
    assert np.sum(contours.values) * cell == pytest.approx(1, abs=0.05)
    for mass, level in zip(_contours.MASSES[::-1], contours.levels, strict=True):
        inside = contours.values[contours.values >= level].sum() / contours.values.sum()
        assert inside == pytest.approx(mass, abs=0.01)


def test_a_result_without_its_model_has_contours_of_its_draws(in_two, tmp_path):
    in_two.save(tmp_path / "fit.npz")
    ax = pathfinder.load(tmp_path / "fit.npz").plot("trajectory")
    assert any(text.startswith("density of the draws") for text in legend_texts(ax))
    assert any(text.startswith("density of the model") for text in legend_texts(in_two.plot("trajectory")))


def test_a_density_that_takes_long_is_left_alone(in_two, monkeypatch):
    monkeypatch.setattr(_contours, "MOST_SECONDS", 0.0)
    assert any(text.startswith("density of the draws") for text in legend_texts(in_two.plot("trajectory")))


def test_contours_of_a_density_outside_of_jax():
    calls = []

    def normal(x):
        calls.append(x)
        return -0.5 * x[0] ** 2 - 8.0 * x[1] ** 2, -x * [1.0, 16.0]

    options = {"num_draws": 100, "num_psis_draws": 100, "progress": False, "chains": False, "save_trajectory": True}
    result = pathfinder.fit(pathfinder.Model.from_callable(normal, 2), seed=1, **options)
    calls.clear()
    ax = result.plot("trajectory")
    assert any(text.startswith("density of the model") for text in legend_texts(ax))
    assert len(calls) == _contours.FEW + _contours.POINTS**2
    contours = _contours.contours_of(result, (1, 0), np.array([-1.0, -3.0]), np.array([1.0, 3.0]))
    expected = -0.5 * contours.y[:, None] ** 2 - 8.0 * contours.x**2  # the second parameter is across
    np.testing.assert_allclose(contours.values, expected)


def test_draws_without_spread_have_no_contours(result):
    flat = dataclasses.replace(result)
    vars(flat)["unconstrained_draws"] = np.zeros((300, 3))
    assert _contours.contours_of(flat, (0, 1), np.zeros(2), np.ones(2)) is None
