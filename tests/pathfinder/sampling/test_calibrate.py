"""Simulation-based calibration of conjugate models, right ones and wrong ones."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import pathfinder
from pathfinder import Model, constraints


FAST = {"num_paths": 1, "seed": 3, "progress": False}
ROWS, NOISE = 4, 6.0


def simulate(key):
    """A mean with a standard normal prior, and few observations that say little of it."""
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    mu = rng.normal(size=2)
    return {"mu": mu}, {"y": rng.normal(mu, NOISE, (ROWS, 2))}


def model_of(prior_sd, shift=0.0):
    def log_density(params, data):
        prior = -0.5 * jnp.sum((params["mu"] / prior_sd) ** 2)
        return prior - 0.5 * jnp.sum((data["y"] - params["mu"][None] - shift) ** 2) / NOISE**2

    def transformed(params, data):
        return {"total": params["mu"].sum()}

    return Model.from_log_density(
        log_density, {"mu": jnp.zeros(2)}, data={"y": jnp.zeros((ROWS, 2))}, transformed=transformed, name="conjugate"
    )


MODEL = model_of(1.0)


@pytest.fixture(scope="module")
def right():
    return pathfinder.calibrate(simulate, MODEL, num_data_sets=200, **FAST)


@pytest.fixture(scope="module")
def wrong():
    return pathfinder.calibrate(simulate, model_of(2.0), num_data_sets=200, **FAST)


def test_a_conjugate_model_is_calibrated(right):
    table = right.summary()
    assert list(table.index) == ["mu[1]", "mu[2]"]
    assert right.is_calibrated
    assert (table["p_value"] > 0.01).all()
    assert (table["outside"] == 0).all()
    assert (table["p_chi_square"] > 0.01).all()
    np.testing.assert_allclose(table["mean"], 0.5, atol=4 / np.sqrt(12 * 200))
    np.testing.assert_allclose(table["spread"], 1.0, atol=0.15)
    assert repr(right).splitlines() == [
        "Calibration of 'conjugate': 200 of 200 data sets, ranks among 99 draws",
        "0 fits failed and are left out, 0 are unreliable and included",
        f"Nothing speaks against calibration (p = {right.p_value:.2g} for 2 scalars together)",
    ]


def test_ranks_are_those_of_the_exact_posterior(right):
    """The probability that the conjugate posterior gives to smaller values, up to the error of 99 draws."""
    y = np.stack([data["y"] for data in _data(right)])
    mean, sd = y.sum(axis=1) / (NOISE**2 + ROWS), (1 + ROWS / NOISE**2) ** -0.5
    exact = stats.norm(mean, sd).cdf(right.parameters["mu"])
    error = (right.ranks["mu"] + 0.5) / 100 - exact
    assert np.abs(error).max() < 0.25
    assert np.sqrt(np.mean(error**2)) < 0.06  # of 99 independent draws: at most 0.05


def _data(calibration):
    """The data sets, simulated again."""
    again = []

    def remembers(key):
        again.append(simulate(key))
        return again[-1]

    pathfinder.calibrate(remembers, MODEL, num_data_sets=200, **FAST, max_lbfgs_iters=1, refine=False)
    assert len(again) == len(calibration.has_failed)
    np.testing.assert_array_equal(again[7][0]["mu"], calibration.parameters["mu"][7])
    return [data for _, data in again]


def test_a_prior_twice_as_wide_is_found(wrong):
    table = wrong.summary()
    assert not wrong.is_calibrated
    # The mean of the posterior is off by a normal error, whose variance in units of the posterior's gives the spread.
    weight = 4 / (4 + NOISE**2 / ROWS)
    ratio = ((1 - weight) ** 2 + weight**2 * NOISE**2 / ROWS) / (weight * NOISE**2 / ROWS)
    expected = np.sqrt(12 / (2 * np.pi) * np.arcsin(ratio / (1 + ratio)))
    assert expected < 0.85
    np.testing.assert_allclose(table["spread"], expected, atol=0.12)
    assert table["outside"].min() > 0
    assert "mu[1] is not calibrated" in repr(wrong)
    assert "posteriors are too wide" in repr(wrong)


def test_a_shift_is_found():
    shifted = pathfinder.calibrate(simulate, model_of(1.0, shift=10.0), num_data_sets=60, **FAST)
    assert not shifted.is_calibrated
    assert "posteriors are too low" in repr(shifted)


def test_transformed_parameters_may_be_ranked_alone():
    def totals(key):
        parameters, data = simulate(key)
        return {"total": parameters["mu"].sum()}, data

    found = pathfinder.calibrate(totals, MODEL, num_data_sets=40, num_rank_draws=19, **FAST)
    assert list(found.ranks) == ["total"]
    assert found.ranks["total"].shape == (40,)
    assert found.ranks["total"].max() <= 19
    assert found.is_calibrated


def test_failed_and_unreliable_fits_are_counted(right):
    marked = dataclasses.replace(
        right,
        has_failed=np.arange(200) < 3,
        is_reliable=np.arange(200) % 2 == 0,
    )
    assert repr(marked).splitlines()[:2] == [
        "Calibration of 'conjugate': 197 of 200 data sets, ranks among 99 draws",
        "3 fits failed and are left out, 99 are unreliable and included",
    ]
    only = dataclasses.replace(marked, only_reliable=True)
    assert only.is_included.sum() == 98
    assert "99 are unreliable and left out" in repr(only)
    with pytest.raises(ValueError, match="No fit counts: all of them failed"):
        dataclasses.replace(marked, has_failed=np.ones(200, bool)).summary()


def test_a_fit_that_fails_is_left_out():
    def sometimes(key):
        parameters, data = simulate(key)
        if jax.random.bits(key) % 4 == 0:
            data["y"][0] = np.nan
        return parameters, data

    found = pathfinder.calibrate(sometimes, MODEL, num_data_sets=40, **FAST)
    assert 0 < found.has_failed.sum() < 30
    np.testing.assert_array_equal(found.ranks["mu"][found.has_failed], -1)
    assert found.ranks["mu"][~found.has_failed].min() >= 0
    assert found.is_included.sum() == (~found.has_failed).sum()


def test_ties_are_broken_at_random():
    """A quantity that is always the same has ranks that are uniform, too."""

    def quantities(params, data):
        return {"sign": jnp.sign(params["sd"])}

    def log_density(params, data):
        return -0.5 * jnp.sum(data["y"] ** 2) / params["sd"] ** 2 - ROWS * jnp.log(params["sd"]) - params["sd"]

    model = Model.from_log_density(
        log_density,
        {"sd": 1.0},
        data={"y": jnp.zeros(ROWS)},
        constraints={"sd": constraints.positive},
        transformed=quantities,
    )

    def scales(key):
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        sd = rng.exponential()
        return {"sd": sd, "sign": 1.0}, {"y": rng.normal(0, sd, ROWS)}

    found = pathfinder.calibrate(scales, model, num_data_sets=100, **FAST)
    assert found.is_calibrated
    assert len(np.unique(found.ranks["sign"])) > 40


def test_models_made_of_data_are_the_same_and_may_have_several_sizes():
    def make(data):
        return dataclasses.replace(MODEL, data=data)

    together = pathfinder.calibrate(simulate, MODEL, num_data_sets=10, **FAST)
    made = pathfinder.calibrate(simulate, make, num_data_sets=10, **FAST)
    np.testing.assert_array_equal(together.ranks["mu"], made.ranks["mu"])

    def of_any_size(key):
        parameters, data = simulate(key)
        return parameters, {"y": data["y"][: 2 + int(jax.random.bits(key) % 2)]}

    several = pathfinder.calibrate(of_any_size, make, num_data_sets=6, **FAST)
    assert several.ranks["mu"].shape == (6, 2)
    assert several.ranks["mu"].min() >= 0
    with pytest.raises(ValueError, match="gives data of several shapes. Pad them, or give a function"):
        pathfinder.calibrate(of_any_size, MODEL, num_data_sets=6, **FAST)


def test_what_does_not_fit_is_said():
    def misnamed(key):
        parameters, data = simulate(key)
        return {"theta": parameters["mu"]}, data

    with pytest.raises(ValueError, match="gives the parameters theta, but the variables of the model are mu, total"):
        pathfinder.calibrate(misnamed, MODEL, num_data_sets=2, **FAST)
    with pytest.raises(ValueError, match="must return two things, parameters and data, but it returned"):
        pathfinder.calibrate(lambda key: simulate(key)[0], MODEL, num_data_sets=2, **FAST)
    with pytest.raises(ValueError, match=r"gives `mu` of shape \[\], but the model has \[2\]"):
        pathfinder.calibrate(lambda key: ({"mu": 0.0}, simulate(key)[1]), MODEL, num_data_sets=2, **FAST)
    with pytest.raises(ValueError, match="gives data of the structure"):
        pathfinder.calibrate(lambda key: (simulate(key)[0], {"x": 0.0}), MODEL, num_data_sets=2, **FAST)
    with pytest.raises(ValueError, match="`model` must be a pathfinder.Model or make one of data"):
        pathfinder.calibrate(simulate, 3, num_data_sets=2, **FAST)
    with pytest.raises(ValueError, match="`model` must make a pathfinder.Model of data, but it returned"):
        pathfinder.calibrate(simulate, lambda data: None, num_data_sets=2, **FAST)
    with pytest.raises(ValueError, match="`num_data_sets` must be a positive whole number, but 0 was given"):
        pathfinder.calibrate(simulate, MODEL, num_data_sets=0, **FAST)
    with pytest.raises(TypeError, match="Did you mean 'num_paths'"):
        pathfinder.calibrate(simulate, MODEL, num_path=2)


def test_pictures(right):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    axes = right.plot()
    assert [ax.get_title() for ax in axes] == ["mu[1]", "mu[2]"]
    line = axes[0].lines[1]
    ranks = right.ranks["mu"][:, 0]
    expected = [np.mean(ranks < place) - place / 100 for place in range(1, 100)]
    np.testing.assert_allclose(line.get_ydata(), expected, atol=1e-12)
    (histogram,) = right.plot("histogram", ["mu[2]"])
    assert histogram.patches[0].get_data().values.sum() == 200
    given = right.plot("ecdf", "mu", axes=axes)
    assert list(given) == list(axes)
    with pytest.raises(ValueError, match="`kind` must be 'ecdf' or 'histogram', but 'bars' was given"):
        right.plot("bars")
    with pytest.raises(ValueError, match="There are ranks of mu, but not of 'tau'"):
        right.plot(var_names=["tau"])
    with pytest.raises(ValueError, match="There are 2 scalars, but 1 axes were given"):
        right.plot(axes=axes[0])
    matplotlib.pyplot.close("all")
