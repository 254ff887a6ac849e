"""Stan programs as models of the engine."""

import logging
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pathfinder import Model, fit, fit_batch
from pathfinder.stan import StanDataError, StanEvaluationError, StanTypeError, explain


SCHOOLS = """\
data { int<lower=0> J; vector[J] y; vector<lower=0>[J] sigma; }
parameters { real mu; real<lower=0> tau; vector[J] theta_trans; }
transformed parameters { vector[J] theta = mu + tau * theta_trans; }
model {
  theta_trans ~ normal(0, 1);
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 5);
  y ~ normal(theta, sigma);
}
generated quantities {
  int J2 = 2 * J;
  array[J] real y_rep = normal_rng(theta, sigma);
}
"""
DATA = {"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 18]}
OTHER_DATA = {"J": 8, "y": [0, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 1]}
MANY = """\
parameters {
  tuple(real<lower=0>, vector[2]) t;
  array[2] tuple(real, simplex[3]) a;
  complex c;
  cov_matrix[2] S;
  real<lower=t.1> x;
}
model { }
"""
RANDOM_LOOP = """\
parameters { vector[3] mu; }
model { mu ~ normal(0, 1); }
generated quantities {
  int n = poisson_rng(3);
  real total = 0;
  for (i in 1:n) {
    vector[i] v = rep_vector(mu[1], i);
    total += sum(v);
  }
  real rest = total - mu[1] * n * (n + 1) / 2;
}
"""


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def schools_density(data, z, mu, tau):
    y, sigma = np.array(data["y"]), np.array(data["sigma"])
    return (
        stats.norm.logpdf(z).sum()
        + stats.norm.logpdf(mu, 0, 5)
        + stats.cauchy.logpdf(tau, 0, 5)
        + stats.norm.logpdf(y, mu + tau * z, sigma).sum()
        + np.log(tau)  # the Jacobian
    )


@pytest.mark.parametrize("data", [DATA, OTHER_DATA])
def test_density_variables_and_transformed_parameters(data):
    model = Model.from_stan(SCHOOLS, data)
    z, mu, tau = np.linspace(-1, 1, 8), 3.0, 2.0
    position = model.unconstrain({"mu": mu, "tau": tau, "theta_trans": z})
    np.testing.assert_allclose(model.log_density(position), schools_density(data, z, mu, tau), rtol=1e-12)
    assert model.columns()[:3] == ["mu", "tau", "theta_trans.1"]
    blocks = {variable.name: (variable.shape, variable.block) for variable in model.variables}
    assert blocks == {
        "mu": ((), "parameters"),
        "tau": ((), "parameters"),
        "theta_trans": ((8,), "parameters"),
        "theta": ((8,), "transformed parameters"),
        "J2": ((), "generated quantities"),
        "y_rep": ((8,), "generated quantities"),
    }
    np.testing.assert_allclose(model.constrain(position)["theta"], mu + tau * z, rtol=1e-12)


def test_a_second_data_set_compiles_nothing(caplog):
    options = {"num_draws": 20, "num_psis_draws": 10, "seed": 1, "refine": False, "progress": False}
    program = SCHOOLS.replace("int<lower=0> J;", "int<lower=0> J; real<lower=0> scale;").replace("(0, 5)", "(0, scale)")
    fit(Model.from_stan(program, {**DATA, "scale": 3.5}), **options)
    other = Model.from_stan(program, {**OTHER_DATA, "scale": 5.0})
    with caplog.at_level(logging.WARNING, "jax"), jax.log_compiles():
        result = fit(other, **options)
    compiled = [text for record in caplog.records if "Finished XLA comp" in (text := record.getMessage())]
    # of the engine, without the density, and needed by the paths of these data only
    assert [text for text in compiled if "jit(rewind_lanes)" not in text] == []
    for i in range(3):
        z, mu, tau = (result.draws[name][i] for name in ("theta_trans", "mu", "tau"))
        np.testing.assert_allclose(result.log_p[i], schools_density(OTHER_DATA, z, mu, tau), rtol=1e-9)


def test_other_programs_and_shapes_are_other_functions():
    model = Model.from_stan(SCHOOLS, DATA)
    assert Model.from_stan(SCHOOLS, OTHER_DATA).density == model.density
    assert Model.from_stan(SCHOOLS.replace("normal(0, 5)", "normal(0, 6)"), DATA).density != model.density
    fewer = {"J": 2, "y": [1, 2], "sigma": [1, 2]}
    assert Model.from_stan(SCHOOLS, fewer).density != model.density


def test_every_structure_of_parameters_comes_back():
    model = Model.from_stan(MANY)
    assert model.columns()[:9] == [
        "t:1",
        "t:2.1",
        "t:2.2",
        "a.1:1",
        "a.1:2.1",
        "a.1:2.2",
        "a.1:2.3",
        "a.2:1",
        "a.2:2.1",
    ]
    position = np.random.default_rng(1).normal(size=model.dim)
    values = model.constrain(position)
    np.testing.assert_allclose(model.unconstrain(values), position, atol=1e-9)
    by_program = {
        "t": {"1": values["t:1"], "2": values["t:2"]},
        "a": ([values["a.1:1"], values["a.2:1"]], [values["a.1:2"], values["a.2:2"]]),
        "c": complex(values["c.real"], values["c.imag"]),
        "S": values["S"],
        "x": values["x"],
    }
    np.testing.assert_allclose(model.unconstrain(by_program), position, atol=1e-9)
    # elements of an array of tuples one after another: the first one's simplex uses the numbers after its real
    np.testing.assert_allclose(values["a.2:1"], position[6], atol=1e-12)
    assert values["x"] > values["t:1"] > 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mu": 0.0}, "The model's parameters are mu, tau, theta_trans; given were mu"),
        ({"mu": 0.0, "tau": 1.0, "theta_trans": [0.0]}, r"`theta_trans` has shape \[8\], but \[1\] was given"),
        ({"mu": 0.0, "tau": -1.0, "theta_trans": np.zeros(8)}, "value of parameter 'tau' violates its constraint"),
        ({"mu": 0.0, "tau": 0.0, "theta_trans": np.zeros(8)}, "'tau' is not finite on the unconstrained scale"),
    ],
)
def test_parameters_that_do_not_fit(values, message):
    with pytest.raises(ValueError, match=message):
        Model.from_stan(SCHOOLS, DATA).unconstrain(values)


def test_generated_quantities():
    model = Model.from_stan(SCHOOLS, DATA)
    position = jnp.zeros(model.dim)
    keys = jax.random.split(jax.random.key(0), 2000)
    values = jax.vmap(lambda key: model.generate_fn(key, position, model.data))(keys)
    assert set(np.asarray(values["J2"])) == {16}
    y_rep = np.asarray(values["y_rep"])
    sigma = np.array(DATA["sigma"])
    np.testing.assert_allclose(y_rep.mean(axis=0), 0, atol=5 * sigma.max() / np.sqrt(2000))
    np.testing.assert_allclose(y_rep.std(axis=0), sigma, rtol=5 / np.sqrt(4000))


def test_quantities_that_cannot_be_traced_are_computed_on_the_host():
    with pytest.warns(UserWarning, match=r"draw by draw, which is slow: model, line 6, column"):
        model = Model.from_stan(RANDOM_LOOP)
    result = fit(model, num_draws=200, num_psis_draws=200, seed=1, progress=False)
    assert result.draws["n"].dtype.kind == "i"
    assert abs(result.draws["n"].mean() - 3) < 5 * np.sqrt(3 / 200)
    np.testing.assert_allclose(result.draws["rest"], 0, atol=1e-10)
    assert np.ptp(result.draws["total"]) > 0


def test_quantities_of_a_draw_that_fail_are_nan_as_in_stan():
    program = """\
parameters { real mu; }
model { mu ~ normal(0, 1); }
generated quantities {
  int n = poisson_rng(1);
  vector[2] v = rep_vector(mu, 2);
  real s = sum(v[1:n]);
}"""
    with pytest.warns(UserWarning, match="draw by draw"):
        model = Model.from_stan(program)
    keys = jax.random.split(jax.random.key(1), 200)
    values = jax.lax.map(lambda key: model.generate_fn(key, jnp.ones(1), model.data), keys)
    n, s = np.asarray(values["n"]), np.asarray(values["s"])
    failed = np.isnan(s)
    np.testing.assert_array_equal(s[~failed], n[~failed])
    assert set(n[~failed]) == {0, 1, 2}
    # the chance of more than two
    assert abs(failed.mean() - stats.poisson(1).sf(2)) < 5 * np.sqrt(0.08 * 0.92 / 200)


def test_results_for_arviz():
    program = SCHOOLS.replace(
        "int J2 = 2 * J;", "vector[J] log_lik; for (j in 1:J) log_lik[j] = normal_lpdf(y[j] | mu, 1);"
    )
    model = Model.from_stan(
        program, DATA, dims={"theta": ("school",), "y_rep": ("school",)}, coords={"school": list("abcdefgh")}
    )
    result = fit(model, num_draws=20, num_psis_draws=10, seed=1, refine=False, progress=False)
    data = result.to_inferencedata()
    assert list(data["posterior"].data_vars) == ["mu", "tau", "theta_trans", "theta"]
    assert list(data["log_likelihood"].data_vars) == ["log_lik"]
    assert data["posterior_predictive"]["y_rep"].dims == ("chain", "draw", "school")
    assert list(data["posterior"]["school"].values) == list("abcdefgh")
    np.testing.assert_array_equal(data["posterior_predictive"]["y_rep"].values[0], result.draws["y_rep"])
    np.testing.assert_array_equal(data["observed_data"]["y"], DATA["y"])
    assert list(data["constant_data"].data_vars) == ["J", "sigma"]
    np.testing.assert_array_equal(data["constant_data"]["sigma"], DATA["sigma"])
    other = result.to_inferencedata(log_likelihood=[], posterior_predictive="log_lik")
    assert "y_rep" in other["posterior"]
    assert list(other["posterior_predictive"].data_vars) == ["log_lik"]
    with pytest.raises(
        ValueError, match="`log_likelihood` names 'theta', but the generated quantities are 'log_lik', 'y_rep'"
    ):
        result.to_inferencedata(log_likelihood="theta")


def test_data_have_the_names_of_columns():
    """Elements of tuples and parts of complex numbers, as in the files of CmdStan."""
    program = """
    data { tuple(int, vector[2]) t; complex c; array[2, 2] int k; }
    parameters { real x; }
    model { x ~ std_normal(); }
    """
    model = Model.from_stan(program, {"t": (3, [1.5, 2.5]), "c": [1.0, -2.0], "k": [[1, 2], [3, 4]]})
    found = {name: values.tolist() for name, values in model.named_data.items()}
    assert found == {"t:1": 3, "t:2": [1.5, 2.5], "c.real": 1.0, "c.imag": -2.0, "k": [[1, 2], [3, 4]]}


@pytest.mark.parametrize(
    ("dims", "message"),
    [
        ({"phi": ("school",)}, "`dims` names 'phi', which the model does not have"),
        ({"mu": ("school",)}, r"`dims` gives `mu` 1 names of axes, but its shape is \[\]"),
    ],
)
def test_dims_that_do_not_fit(dims, message):
    with pytest.raises(ValueError, match=message):
        Model.from_stan(SCHOOLS, DATA, dims=dims)


def test_many_data_sets_at_once():
    program = SCHOOLS.replace("int<lower=0> J;", "int<lower=0> J; real<lower=0> scale;").replace("(0, 5)", "(0, scale)")
    models = [Model.from_stan(program, {**data, "scale": s}) for data, s in ((DATA, 2.0), (OTHER_DATA, 5.0))]
    data = jax.tree_util.tree_map(lambda *leaves: jnp.stack(leaves), *(model.data for model in models))
    options = {"num_draws": 50, "num_psis_draws": 20, "seed": 1, "refine": False, "progress": False}
    batch = fit_batch(models[0], data, **options)
    for i in range(2):
        result = batch[i]
        for j in range(3):
            z, mu, tau = (result.draws[name][j] for name in ("theta_trans", "mu", "tau"))
            expected = models[i].log_density(models[i].unconstrain({"theta_trans": z, "mu": mu, "tau": tau}))
            np.testing.assert_allclose(result.log_p[j], expected, rtol=1e-9)


def test_rejections_are_zero_densities():
    model = Model.from_stan('parameters { real x; } model { if (x < 0) reject("no"); x ~ normal(0, 1); }')
    assert model.log_density(np.array([-1.0])) == -np.inf
    np.testing.assert_allclose(model.log_density(np.array([1.0])), stats.norm.logpdf(1))


def test_a_program_without_parameters():
    with pytest.raises(ValueError, match="The model has 0 parameters"):
        Model.from_stan("model { }")


def test_programs_in_files(tmp_path):
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "prior.stan").write_text("mu ~ normal(0, 5);\n")
    (tmp_path / "data.stan").write_text(SCHOOLS.splitlines()[0])
    rest = SCHOOLS.partition("\n")[2].replace("mu ~ normal(0, 5);", "#include prior.stan")
    (tmp_path / "schools.stan").write_text("#include data.stan\n" + rest)
    (tmp_path / "d.json").write_text(str(DATA).replace("'", '"'))
    model = Model.from_stan(tmp_path / "schools.stan", tmp_path / "d.json", include_paths=[tmp_path / "inc"])
    assert model.name == "schools"
    assert model.density == Model.from_stan(SCHOOLS, DATA).density
    with pytest.raises(ValueError, match=r"line 6, column 3: `prior.stan` cannot be found"):
        Model.from_stan(str(tmp_path / "schools.stan"), DATA)


def test_errors_show_the_place(tmp_path):
    with pytest.raises(StanTypeError, match="line 1, column"):
        Model.from_stan("parameters { real mu; } model { mu ~ normal(0, s); }")
    with pytest.raises(StanDataError, match="line 1, column"):
        Model.from_stan(SCHOOLS, {**DATA, "J": 7})
    with pytest.raises(StanEvaluationError, match="no good"):
        Model.from_stan('transformed data { reject("no good"); } parameters { real x; } model { }')
    with pytest.raises(OSError, match="missing.stan"):
        Model.from_stan(tmp_path / "missing.stan")
    (tmp_path / "d.json").write_text("y <- 3")
    with pytest.raises(ValueError, match=r'd.json", line 1, column 1 .*found `y`'):
        Model.from_stan(SCHOOLS, tmp_path / "d.json")
    with pytest.raises(ValueError, match="`simplex` must be 'ilr' or 'stick_breaking', not 'old'"):
        Model.from_stan(SCHOOLS, DATA, simplex="old")


def test_both_simplexes():
    program = "parameters { simplex[3] p; } model { }"
    old = Model.from_stan(program, simplex="stick_breaking").constrain(np.array([0.3, -0.2]))["p"]
    new = Model.from_stan(program).constrain(np.array([0.3, -0.2]))["p"]
    z = 1 / (1 + np.exp(-(0.3 - np.log(2))))
    np.testing.assert_allclose(old[0], z, rtol=1e-12)
    assert abs(new[0] - z) > 0.01


def test_precision_follows_jax():
    with jax.enable_x64(False):
        model = Model.from_stan(SCHOOLS, DATA)
        assert model.dtype == np.float32
        assert model.log_density(np.zeros(10)).dtype == np.float32


def test_explain():
    text = explain(
        """data { int N; vector[N] y; }
        parameters { real a; }
        model {
          vector[N] x;
          for (n in 1:N) y[n] ~ normal(a, 1);
          x[1] = a;
          for (n in 2:N) x[n] = a * x[n - 1];
          y ~ normal(x, 1);
        }""",
        {"N": 5, "y": [1, 2, 3, 4, 5]},
    )
    head, first, second = text.splitlines()
    assert head.split() == ["line", "iterations", "compiled", "as"]
    assert first.split()[:3] == ["5", "5", "lanes"]
    assert second.split()[:3] == ["7", "4", "scan"]
    assert explain("parameters { real a; } model { }") == "The program has no loops."


def test_explain_tells_lanes_from_iterations():
    text = explain(
        """data { int N; array[N] int k; } parameters { real a; }
        model {
          for (n in 1:N) {
            real x = a;
            for (j in 1:4) x = x * a + j;
            for (j in 1:k[n]) x = x * a + j;
            for (j in 1:2) { if (x > 1) break; x = x * a; }
            target += x;
          }
        }""",
        {"N": 5, "k": [1, 2, 3, 4, 4]},
    )
    told = [line.partition("  (")[0].split(" (")[0].split() for line in text.splitlines()[1:]]
    assert [" ".join(words) for words in told] == [
        "3 5 lanes",
        "5 4 in 5 lanes scan",
        "6 1 to 4 in 5 lanes scan",
        "7 2 in 5 lanes unrolled",
    ]


def test_the_engine_is_imported_without_stan():
    code = "import sys, pathfinder; print([name for name in sys.modules if name.startswith('pathfinder.stan')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_differential_equations_of_data_times_compile_nothing_while_they_are_bound(jax_events):
    compiled = jax_events("backend_compile_duration")
    Model.from_stan(
        "functions { vector decay(real t, vector y, real rate) { return -rate * y; } }"
        "data { int N; array[N] real t; array[N] real z; } parameters { real<lower=0> rate; }"
        "model { array[N] vector[1] y = ode_rk45(decay, [1.0]', 0, t, rate); z ~ normal(y[N][1], 1); }",
        {"N": 7, "t": np.arange(1.0, 8.0), "z": np.ones(7)},
    )
    assert compiled == []
