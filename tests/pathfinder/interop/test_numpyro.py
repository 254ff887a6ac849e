"""Models of NumPyro: the density of its samplers, names, axes, and what is compiled for them."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro import handlers
from numpyro.infer.reparam import LocScaleReparam
from numpyro.infer.util import initialize_model
from scipy import stats

import pathfinder
from pathfinder import Model
from tests.pathfinder.interop.numpyro_models import MODELS, SIGMA, Y, arguments, eight_schools


FEW = {"num_paths": 2, "num_draws": 60, "num_psis_draws": 40, "seed": 1, "refine": False, "progress": False}


def made(name, seed=0):
    args, kwargs = arguments(name, seed)
    if name == "hidden_markov":
        with pytest.warns(UserWarning, match="NumPyro cannot draw them: draws of 'state' are left out"):
            return Model.from_numpyro(MODELS[name], *args, **kwargs)
    return Model.from_numpyro(MODELS[name], *args, **kwargs)


def unconstrained(model, position):
    """Parameters of NumPyro's potential: in the order of the trace, each in C order."""
    values = {}
    for part in model.density.program.parts:
        end = part.offset + part.unconstrained_size
        values[part.name] = position[part.offset : end].reshape(part.unconstrained_shape)
    return values


@pytest.mark.filterwarnings("ignore:Some algorithms will automatically enumerate:FutureWarning")
@pytest.mark.parametrize("name", MODELS)
def test_the_density_is_that_of_numpyros_samplers(name):
    model, (args, kwargs) = made(name), arguments(name)
    potential = initialize_model(jax.random.key(0), MODELS[name], model_args=args, model_kwargs=kwargs).potential_fn
    points = np.random.default_rng(1).uniform(-2, 2, (20, model.dim))
    ours = jax.jit(jax.vmap(jax.value_and_grad(lambda z: model.density(z, model.data))))(points)
    theirs = jax.jit(jax.vmap(jax.value_and_grad(lambda z: -potential(unconstrained(model, z)))))(points)
    assert np.all(np.isfinite(ours[0]))
    for own, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-12, atol=1e-12 * np.max(np.abs(expected)))


@pytest.mark.parametrize("name", MODELS)
def test_constraining_and_back(name):
    model = made(name)
    position = np.random.default_rng(2).uniform(-2, 2, model.dim)
    values = model.constrain(position)
    assert {own: value.shape for own, value in values.items()} == {
        variable.name: variable.shape for variable in model.variables if variable.block != "generated quantities"
    }
    parameters = {variable.name: values[variable.name] for variable in model.parameters}
    np.testing.assert_allclose(model.unconstrain(parameters), position, atol=1e-12)


def test_eight_schools_has_its_density():
    model = made("eight_schools")
    z, mu, tau = np.linspace(-1, 1, 8), 3.0, 2.0
    expected = (
        stats.norm.logpdf(z).sum()
        + stats.norm.logpdf(mu, 0, 5)
        + stats.halfcauchy.logpdf(tau, 0, 5)
        + stats.norm.logpdf(Y, mu + tau * z, SIGMA).sum()
        + np.log(tau)
    )
    position = model.unconstrain({"tau": tau, "mu": mu, "z": z})
    np.testing.assert_allclose(model.log_density(position), expected, rtol=1e-12)
    np.testing.assert_allclose(model.constrain(position)["theta"], mu + tau * z)


def test_names_shapes_dims_and_coordinates():
    model = made("eight_schools")
    assert [(variable.name, variable.shape, variable.dims, variable.block) for variable in model.variables] == [
        ("mu", (), None, "parameters"),
        ("tau", (), None, "parameters"),
        ("z", (8,), ("school",), "parameters"),
        ("theta", (8,), ("school",), "transformed parameters"),
    ]
    assert (model.observed, model.data_dims) == (("obs",), {"obs": ("school",)})
    assert model.name == "eight_schools"
    np.testing.assert_array_equal(model.coords["school"], np.arange(8))
    assert list(model.named_data) == ["obs", "sigma"]
    np.testing.assert_array_equal(model.named_data["obs"], Y)
    slopes = {variable.name: variable.dims for variable in made("varying_slopes").variables}
    assert slopes["coefficients"] == ("group", "coefficient")
    assert slopes["correlation"] is None


def test_plates_are_put_at_their_own_axes():
    def model():
        outer = numpyro.plate("outer", 2, dim=-3)
        with outer, numpyro.plate("inner", 4, dim=-1):
            x = numpyro.sample("x", dist.Normal(jnp.zeros((3, 1)), 1))
            numpyro.deterministic("last", x[0, 0])
            numpyro.deterministic("total", x.sum())
        with outer:
            numpyro.sample("y", dist.Normal(0, 1))

    own = Model.from_numpyro(model)
    dims = {variable.name: (variable.shape, variable.dims) for variable in own.variables}
    assert dims == {
        "x": ((2, 3, 4), ("outer", "x_dim_1", "inner")),
        "y": ((2, 1, 1), ("outer", "y_dim_1", "y_dim_2")),
        "last": ((4,), ("inner",)),
        "total": ((), None),
    }
    assert set(own.coords) == {"outer", "inner"}


def test_other_names():
    model = made("eight_schools")
    named = model.with_names(
        dims={"z": ("place",), "obs": ("place",), "sigma": ("place",)}, coords={"place": list("abcdefgh")}
    )
    assert {variable.name: variable.dims for variable in named.variables} == {
        "mu": None, "tau": None, "z": ("place",), "theta": ("school",),
    }  # fmt: skip
    assert named.observed_variables[0].dims == ("place",)
    assert named.data_dims == {"obs": ("place",), "sigma": ("place",)}
    assert list(named.coords) == ["school", "place"]
    assert (named.with_names(name="eight").name, named.name) == ("eight", "eight_schools")
    assert named.density == model.density
    with pytest.raises(ValueError, match="`dims` gives `z` 2 names of axes, but its shape is \\[8\\]"):
        model.with_names(dims={"z": ("a", "b")})
    with pytest.raises(ValueError, match="`dims` gives `obs` 2 names of axes"):
        model.with_names(dims={"obs": ("a", "b")})
    with pytest.raises(ValueError, match="`dims` names 'q', which the model does not have"):
        model.with_names(dims={"q": ("a",)})


def test_new_data_of_the_same_shapes_compile_nothing(compilations):
    pathfinder.fit(made("three_levels"), **FEW).draws  # noqa: B018
    first = len(compilations)
    assert first > 0
    second = pathfinder.fit(made("three_levels", seed=1), **FEW)
    assert np.all(np.isfinite(second.draws["county_effect"]))
    assert compilations[first:] == []
    assert made("three_levels").density == made("three_levels", seed=1).density


def test_what_is_compiled_into_programs_tells_models_apart():
    density = made("eight_schools").density
    args, kwargs = arguments("eight_schools")
    assert Model.from_numpyro(eight_schools, *args, **kwargs).density == density
    assert Model.from_numpyro(eight_schools, 8, SIGMA, Y).density != density  # another form of the call
    assert Model.from_numpyro(eight_schools, 4, SIGMA[:4], y=Y[:4]).density != density
    assert Model.from_numpyro(lambda *a, **k: eight_schools(*a, **k), *args, **kwargs).density != density
    assert density != made("eight_schools").constrain_fn


def grouped(group, y, options):
    effects = numpyro.sample("effects", dist.Normal(0, 1).expand([len(np.unique(group))]).to_event(1))
    scale = numpyro.sample("scale", dist.HalfNormal(options["scale"])) if options["y"].mean() > -100 else 1.0
    numpyro.sample("obs", dist.Normal(effects[group], scale), obs=y)


def test_arguments_whose_values_are_needed_in_the_trace_are_static():
    group, y = np.array([0, 1, 1, 2]), np.arange(4.0)
    options = {"y": y, "scale": 2.0, "none": None, "x": np.ones(2)}
    model = Model.from_numpyro(grouped, group, y, options)
    assert model.static_arguments == ("group", "options.scale", "options.y")
    assert list(model.data) == ["y", "options.x"]
    assert "static_arguments=('group', 'options.scale', 'options.y')" in repr(model)
    assert list(model.named_data) == ["obs", "options.x", "group", "options.y"]
    assert Model.from_numpyro(grouped, group.copy(), y + 1, options).density == model.density
    assert Model.from_numpyro(grouped, group[::-1].copy(), y, options).density != model.density
    position = np.array([0.1, 0.2, 0.3, 0.4])
    expected = -initialize_model(jax.random.key(0), grouped, model_args=(group, y, options)).potential_fn(
        {"effects": position[:3], "scale": position[3]}
    )
    np.testing.assert_allclose(model.log_density(position), expected, rtol=1e-12)


def test_errors_of_the_model_are_its_own():
    def model(x):
        numpyro.sample("mu", dist.Normal(jnp.zeros(3) + x, 1))

    with pytest.raises(TypeError, match="incompatible shapes for broadcasting"):
        Model.from_numpyro(model, np.ones(2))


def test_conditions_on_parameters_are_explained():
    def model(y):
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        numpyro.sample("y", dist.Normal(mu if mu > 0 else 0.0, 1), obs=y)

    with pytest.raises(
        ValueError, match=r"The NumPyro model cannot be traced by JAX: Python cannot branch [\s\S]*mu > 0"
    ):
        Model.from_numpyro(model, np.ones(2))


def test_dictionaries_keep_their_order():
    def model(columns):
        for name, values in columns.items():
            numpyro.sample(name, dist.Normal(0, 1))
            numpyro.sample(f"obs_{name}", dist.Normal(0, 1), obs=values)

    assert [v.name for v in Model.from_numpyro(model, {"b": np.ones(2), "a": np.ones(3)}).variables] == ["b", "a"]


def test_models_within_handlers():
    reparametrized = handlers.reparam(eight_schools_centered, config={"theta": LocScaleReparam(0.0)})
    model = Model.from_numpyro(handlers.scope(reparametrized, prefix="one"), SIGMA, Y)
    assert [(variable.name, variable.block) for variable in model.variables] == [
        ("one/mu", "parameters"),
        ("one/tau", "parameters"),
        ("one/theta_decentered", "parameters"),
        ("one/theta", "transformed parameters"),
    ]
    assert list(model.data) == ["sigma", "y"]


def eight_schools_centered(sigma, y):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("school", 8):
        theta = numpyro.sample("theta", dist.Normal(mu, tau))
        numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)


def test_parameters_as_they_are_given():
    model = made("dynamic_supports")
    with pytest.raises(ValueError, match="value of parameter 'b' is outside of its support: 3.0"):
        model.unconstrain({"a": 2.0, "b": 3.0, "c": 4.0})
    with pytest.raises(ValueError, match="value of parameter 'b' is not finite on the unconstrained scale: 0.0"):
        model.unconstrain({"a": 2.0, "b": 0.0, "c": 4.0})
    with pytest.raises(ValueError, match=r"Parameter 'b' has shape \(\), but a value of shape \(2,\)"):
        model.unconstrain({"a": 2.0, "b": np.ones(2), "c": 4.0})
    with pytest.raises(ValueError, match="the model's are a, b, c; given: a, x"):
        model.unconstrain({"a": 2.0, "x": 1.0})
    result = pathfinder.fit(model, init={"a": 2.0, "b": 1.0, "c": 4.0}, **FEW)
    np.testing.assert_allclose(model.constrain(result.paths[0].initial_position)["b"], 1.0)


def test_many_data_sets():
    model = made("eight_schools")
    many = {"sigma": np.tile(SIGMA, (3, 1)), "y": Y + np.arange(3.0)[:, None]}
    batch = pathfinder.fit_batch(model, many, **FEW)
    for fit, result in enumerate(batch):
        np.testing.assert_array_equal(result.model.named_data["obs"], Y + fit)
    alone = pathfinder.fit(made("eight_schools", seed=2), **FEW)
    assert abs(batch[2].draws["mu"].mean() - alone.draws["mu"].mean()) < 5
    assert list(batch.draws) == ["mu", "tau", "z", "theta"]


def test_observed_values_that_the_model_computes():
    constant = np.ones(3)

    def model(y):
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        numpyro.sample("log_y", dist.Normal(mu, 1), obs=jnp.log(y))
        numpyro.sample("constant", dist.Normal(mu, 1), obs=constant)
        numpyro.sample("y", dist.Normal(mu, 1), obs=2 * y)

    y = np.arange(1.0, 4.0)
    named = Model.from_numpyro(model, y).named_data
    assert list(named) == ["log_y", "constant", "y", "y_argument"]
    for name, expected in {"log_y": np.log(y), "constant": constant, "y": 2 * y, "y_argument": y}.items():
        np.testing.assert_allclose(named[name], expected)


def test_a_fit_of_a_numpyro_model_without_from_numpyro():
    hint = r"For a NumPyro model use pathfinder.Model.from_numpyro\(model, \*args\)"
    with pytest.raises(ValueError, match=hint):
        pathfinder.fit(eight_schools)
    with pytest.raises(ValueError, match=hint):
        pathfinder.fit(lambda params: None, {"x": 0.0})

    def model(params):
        numpyro.sample("mu", dist.Normal(0, 5))

    with pytest.raises(ValueError, match=hint):
        pathfinder.fit(model, {"x": 0.0})
