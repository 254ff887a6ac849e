import dataclasses
import re

import pytest

from pathfinder import Settings


def test_defaults_are_those_of_cmdstan():
    """CmdStan 2.35, src/cmdstan/arguments/arg_pathfinder.hpp and arg_lbfgs.hpp."""
    cmdstan = {
        "num_paths": 4,
        "num_draws": 1000,
        "num_psis_draws": 1000,
        "num_elbo_draws": 25,
        "max_lbfgs_iters": 1000,
        "history_size": 5,
        "init_alpha": 0.001,
        "tol_obj": 1e-12,
        "tol_rel_obj": 1e4,
        "tol_grad": 1e-8,
        "tol_rel_grad": 1e7,
        "tol_param": 1e-8,
        "calculate_lp": True,
        "psis_resample": True,
    }
    settings = dataclasses.asdict(Settings())
    assert {name: settings[name] for name in cmdstan} == cmdstan


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_paths": 0}, "`num_paths` must be a whole number of at least 1, but 0 was given."),
        ({"num_draws": 1.5}, "`num_draws` must be a whole number of at least 1, but 1.5 was given."),
        ({"num_elbo_draws": "25"}, "`num_elbo_draws` must be a whole number of at least 1, but '25' was given."),
        ({"history_size": True}, "`history_size` must be a whole number of at least 1, but True was given."),
        ({"num_paths": None}, "`num_paths` must not be None."),
        ({"num_paths": float("nan")}, "`num_paths` must be a whole number of at least 1, but nan was given."),
        ({"num_paths": float("inf")}, "`num_paths` must be a whole number of at least 1, but inf was given."),
        ({"tol_obj": 0.0}, "`tol_obj` must be greater than 0, but 0.0 was given."),
        ({"tol_grad": float("nan")}, "`tol_grad` must be greater than 0, but nan was given."),
        ({"init_alpha": -1}, "`init_alpha` must be greater than 0, but -1 was given."),
        ({"init_radius": -0.5}, "`init_radius` must be finite and at least 0, but -0.5 was given."),
        ({"init_radius": float("inf")}, "`init_radius` must be finite and at least 0, but inf was given."),
        ({"calculate_lp": 1}, "`calculate_lp` must be True or False, but 1 was given."),
        ({"weights": "both"}, "`weights` must be one of 'mixture', 'component', but 'both' was given."),
        ({"optimizer": None}, "`optimizer` must not be None."),
        ({"elbo_patience": 0}, "`elbo_patience` must be a whole number of at least 1, but 0 was given."),
    ],
)
def test_values_out_of_range_are_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Settings(**options)


def test_whole_floats_and_integers_are_converted():
    settings = Settings(num_draws=1e3, init_alpha=1, init_radius=0)
    assert (settings.num_draws, type(settings.num_draws)) == (1000, int)
    assert (settings.init_alpha, type(settings.init_alpha)) == (1.0, float)
    assert (settings.init_radius, type(settings.init_radius)) == (0.0, float)


def test_some_options_may_be_left_open():
    assert Settings(init_radius=None, elbo_patience=None).elbo_patience is None


def test_changed_settings_are_checked_again():
    with pytest.raises(ValueError, match="num_paths"):
        dataclasses.replace(Settings(), num_paths=-1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().num_paths = 3


def test_every_option_is_described():
    lines = Settings.describe().splitlines()
    assert len(lines) == len(dataclasses.fields(Settings))
    assert "num_paths = 4: Number of paths." in lines
