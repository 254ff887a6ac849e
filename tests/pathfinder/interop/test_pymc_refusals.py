"""What PyMC models may have in them: special cases that work, and the words for those that cannot."""

import warnings
from types import SimpleNamespace

import jax
import numpy as np
import pytest


pytest.importorskip("pymc")

import pymc as pm  # noqa: E402
import pytensor  # noqa: E402
import pytensor.tensor as pt  # noqa: E402
from pytensor.compile.ops import FromFunctionOp  # noqa: E402

from pathfinder import Model  # noqa: E402
from tests.pathfinder.interop.test_pymc import UNCOMPILED, assert_close, point_of  # noqa: E402


Y = np.random.default_rng(0).normal(1, 2, 30)


def custom():
    mu = pm.Normal("mu")
    pm.CustomDist("y", mu, logp=lambda value, mu: -((value - mu) ** 2), observed=Y)


def potential():
    x = pm.Normal("x", shape=3)
    pm.Potential("sum_to_zero", -100 * x.sum() ** 2)


def missing():
    mu = pm.Normal("mu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyMC tells that it imputes
        pm.Normal("y", mu, observed=np.where(np.arange(30) < 3, np.nan, Y))


def autoregression():
    rho = pm.Normal("rho", 0, 0.2, shape=2)
    pm.AR("x", rho, init_dist=pm.Normal.dist(0, 1, shape=2), steps=5)


def gaussian_process():
    scale = pm.HalfNormal("scale")
    process = pm.gp.Marginal(cov_func=pm.gp.cov.ExpQuad(1, scale))
    process.marginal_likelihood("y", np.linspace(0, 1, 30)[:, None], Y, sigma=1.0)


def zero_sum():
    pm.Normal("y", pm.ZeroSumNormal("effect", shape=30), observed=Y)


def shapes_of_data():
    y = pm.Data("data", Y)
    effect = pm.Normal("effect", shape=y.shape[0])
    pm.Normal("y", effect, observed=y)


def dependent_range():
    upper = pm.HalfNormal("upper")
    pm.Uniform("x", 0, upper)


def circular():
    pm.VonMises("angle", 0, 1)


def truncated():
    mu = pm.Normal("mu")
    pm.Truncated("y", pm.Normal.dist(mu, 2), lower=-4, observed=np.maximum(Y, -3.9))


def censored():
    mu = pm.Normal("mu")
    pm.Censored("y", pm.Normal.dist(mu, 2), lower=-1, upper=None, observed=np.maximum(Y, -1))


def unnamed_data():
    pm.Normal("y", pm.Normal("mu"), pytensor.shared(np.full(30, 2.0)), observed=Y)


def out_of_range():
    """Where the scale is negative, PyMC's log density is minus infinity."""
    pm.Normal("y", 0, pm.Normal("scale"), observed=Y)


WORKING = [
    custom, potential, missing, autoregression, gaussian_process, zero_sum, shapes_of_data, dependent_range, circular,
    truncated, censored, unnamed_data, out_of_range,
]  # fmt: skip


@pytest.mark.parametrize("build", WORKING, ids=lambda build: build.__name__)
def test_log_density_is_that_of_pymc(build):
    with pm.Model() as pymc_model:
        build()
    model = Model.from_pymc(pymc_model)
    expected = pymc_model.compile_logp(mode=UNCOMPILED)
    for position in np.random.default_rng(1).uniform(-1.5, 1.5, (5, model.dim)):
        value = expected(point_of(pymc_model, position))
        if np.isfinite(value):
            assert_close(model.log_density(position), value)
        else:
            assert model.log_density(position) == value
        named = model.constrain(position)
        back = model.unconstrain({variable.name: named[variable.name] for variable in model.parameters})
        np.testing.assert_allclose(back, position, rtol=1e-9, atol=1e-9)


def test_missing_observations_are_parameters():
    with pm.Model() as pymc_model:
        missing()
    model = Model.from_pymc(pymc_model)
    assert [(variable.name, variable.shape) for variable in model.parameters] == [("mu", ()), ("y_unobserved", (3,))]
    assert model.constrain(np.zeros(4))["y"].shape == (30,)
    assert model.observed == ("y_observed",)


def test_whole_numbers_that_shapes_depend_on_are_constants():
    with pm.Model() as pymc_model:
        n, shift = pm.Data("n", 3), pm.Data("shift", 2)
        pm.Normal("y", (pt.arange(n) + shift).sum() * pm.Normal("x"), observed=Y)
    model = Model.from_pymc(pymc_model)
    assert model.log_density(np.ones(1)) == pytest.approx(float(pymc_model.compile_logp(mode=UNCOMPILED)({"x": 1.0})))
    with pymc_model:
        pm.set_data({"n": 4})
    other = Model.from_pymc(pymc_model)
    assert other.density is not model.density
    assert other.log_density(np.ones(1)) == pytest.approx(float(pymc_model.compile_logp(mode=UNCOMPILED)({"x": 1.0})))


def test_data_that_shapes_depend_on_are_constants_which_is_said_once():
    with pm.Model() as pymc_model:
        group = pm.Data("group", np.array([0, 1, 1, 2]))
        x = pm.Normal("x", initval=1.0)
        pm.Normal("y", x, observed=np.ones(3))
        pm.Potential("chosen", -(x**2) * pt.nonzero(group)[0].sum())
    with pytest.warns(UserWarning, match="data of the PyMC model are constants"):
        model = Model.from_pymc(pymc_model)
    again = Model.from_pymc(pymc_model)  # a second warning would be an error
    assert again.density is model.density
    assert model.log_density(np.ones(1)) == pytest.approx(float(pymc_model.compile_logp(mode=UNCOMPILED)({"x": 1.0})))
    assert pymc_model.rvs_to_initial_values[pymc_model["x"]] == 1.0


def discrete():
    k = pm.Poisson("k", 3)
    pm.Normal("y", pm.Normal("mu") + k, observed=Y)


def operation():
    def doubled(x):
        return 2 * x

    pm.Normal("y", FromFunctionOp(doubled, [pt.dscalar], [pt.dscalar], None)(pm.Normal("x")), observed=Y)


def minibatch():
    pm.Normal("y", pm.Normal("mu"), observed=pm.Minibatch(Y, batch_size=5), total_size=30)


def simulator():
    mu = pm.Normal("mu")
    pm.Simulator("s", lambda rng, mu, size: rng.normal(mu, size=size), mu, epsilon=1, observed=Y)


def bessel():
    pm.Potential("bessel", pt.kve(0.0, pm.HalfNormal("x")))


def nothing_free():
    pm.Normal("y", 0, 1, observed=Y)


@pytest.mark.filterwarnings("ignore:.*PyMC.*Minibatch")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (discrete, r"Free variable 'k' of the PyMC model is discrete, .* pymc_extras.marginalize\(model, \['k'\]\)"),
        (operation, r"uses FromFunctionOp{doubled}, which has no JAX version. Register one with pytensor.link.jax"),
        (minibatch, "pm.Minibatch, whose density is random; pass the whole data"),
        (simulator, "Variable 's' is a pm.Simulator, which has no density"),
        (bessel, "uses kve, which has no JAX version"),
        (nothing_free, "The model has 0 parameters"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_refusals_say_what_and_why(build, message):
    with pm.Model() as pymc_model:
        build()
    with pytest.raises(ValueError, match=message):
        Model.from_pymc(pymc_model)


def test_single_precision_is_refused():
    with pm.Model() as pymc_model:
        pm.Normal("x")
    Model.from_pymc(pymc_model)  # also if the functions are there already
    with jax.enable_x64(False), pytest.raises(ValueError, match="double precision, but JAX is not.*jax_enable_x64"):
        Model.from_pymc(pymc_model)


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError, match="no PyMC model around: give Model.from_pymc"):
        Model.from_pymc()
    with pytest.raises(ValueError, match=r"takes a pymc.Model, but .*SimpleNamespace was given"):
        Model.from_pymc(SimpleNamespace())


def test_values_out_of_range_are_refused():
    with pm.Model() as pymc_model:
        pm.HalfNormal("tau")
        pm.Normal("x", shape=2)
    model = Model.from_pymc(pymc_model)
    with pytest.raises(ValueError, match="'tau' is not finite on the unconstrained scale"):
        model.unconstrain({"tau": -1.0, "x": np.zeros(2)})
    with pytest.raises(ValueError, match=r"'x' has shape \(2,\), but \(3,\) was given"):
        model.unconstrain({"tau": 1.0, "x": np.zeros(3)})
    with pytest.raises(ValueError, match="dictionary by name of tau, x"):
        model.unconstrain({"tau": 1.0})


def test_wrong_names_of_data_are_told():
    with pm.Model() as pymc_model:
        pm.Normal("y", pm.Normal("mu"), observed=pm.Data("data", Y))
    model = Model.from_pymc(pymc_model)
    with pytest.raises(ValueError, match="data of the PyMC model are 'data'; given were 'y'"):
        model.density(np.zeros(1), {"y": Y})


def test_importing_leaves_the_devices_alone():
    """As `pymc.sampling.jax` does not, which is why it is not imported."""
    with pm.Model():
        pm.Normal("x")
        Model.from_pymc()
    assert len(jax.devices()) == 1
