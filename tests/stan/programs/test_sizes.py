"""Values whose size depends on a condition on parameters, and arrays of containers of different sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import pathfinder
from pathfinder import Model
from pathfinder.stan import StanError


FUNCTIONS = """functions {
  vector chosen(real x, vector v, vector w) { if (x > 0) return x * v; return w; }
  vector among(real x, vector v, vector w) {
    if (x > 1) return v;
    else if (x > 0) return rep_vector(x, 4);
    return w;
  }
  real total(array[] vector a) {
    real s = 0;
    for (i in 1 : size(a)) s += i * sum(a[i]);
    return s;
  }
  real squares(vector a) { real s = 0; for (i in 1 : rows(a)) s += a[i]^2; return s; }
}
"""
DATA = "transformed data { vector[3] v = [1, 2, 3]'; vector[6] w = rep_vector(0.5, 6); array[2] int z = {1, 2}; }\n"
V, W = np.array([1.0, 2.0, 3.0]), np.full(6, 0.5)


# what is added to the target, and its value at x
VALUES = {
    "sum": ("target += sum(x > 0 ? v : w);", lambda x: np.sum(V if x > 0 else W)),
    "of parameters": ("target += sum(log(x > 0 ? x * v : exp(w * x)));", lambda x: (
        np.sum(np.log(x * V)) if x > 0 else np.sum(W * x))),
    "operators": ("target += sum(-(2 * (x > 0 ? v : w) + x) .* (x > 0 ? v : w));", None),
    "row": ("target += (x > 0 ? v : w)' * (x > 0 ? v : w);", lambda x: np.sum((V if x > 0 else W) ** 2)),
    "same condition": (
        "int c = x > 0; target += dot_product(c ? v : w, c ? 2 * v : 3 * w);",
        lambda x: 2 * V @ V if x > 0 else 3 * W @ W,
    ),
    "size": ("target += x * num_elements(x > 0 ? v : w);", lambda x: x * (3 if x > 0 else 6)),
    "index": ("target += (x > 0 ? v : w)[2];", lambda x: 2 if x > 0 else 0.5),
    "slice": ("target += x * sum(head(x > 0 ? v : w, 2));", lambda x: x * (3 if x > 0 else 1)),
    "sampled": ("(x > 0 ? v : w) ~ normal(x, 2);", lambda x: np.sum(stats.norm.logpdf(V if x > 0 else W, x, 2))),
    "density": ("target += normal_lpdf(x > 0 ? v : w | x, 2);", lambda x: np.sum(
        stats.norm.logpdf(V if x > 0 else W, x, 2))),
    "target": ("target += x > 0 ? v : w;", lambda x: np.sum(V if x > 0 else W)),
    "matrix": ("target += sum(x > 0 ? rep_matrix(x, 2, 3) : rep_matrix(1, 3, 3));", lambda x: 6 * x if x > 0 else 9),
    "array": ("target += sum(x > 0 ? {1, 2} : {3, 4, 5});", lambda x: 3 if x > 0 else 12),
    "nothing": ("target += sum(x > 0 ? v : rep_vector(x, 0));", lambda x: 6 if x > 0 else 0),
    "returned": ("target += sum(chosen(x, v, w));", lambda x: 6 * x if x > 0 else 3),
    "one of three": ("target += sum(among(x, v, w)) + squares(among(x, v, w));", lambda x: (
        20 if x > 1 else 4 * x + 4 * x**2 if x > 0 else 4.5)),
    "argument": ("target += squares(x > 0 ? x * v : w);", lambda x: 14 * x**2 if x > 0 else 1.5),
    "for each": ("for (e in (x > 0 ? x * v : w)) target += e^2;", lambda x: 14 * x**2 if x > 0 else 1.5),
    "in a loop": (
        "for (i in 1 : 30) target += sum(x > i - 20 ? v : w);", lambda x: 90 + 3 * np.sum(x > np.arange(-19, 11)),
    ),
    "on the iteration": (
        "for (i in 1 : 30) target += x * sum(i > 10 ? v : w);", lambda x: x * (20 * 6 + 10 * 3),
    ),
    "one after another": (
        "real s = 1; for (i in 1 : 30) s = 0.5 * s + sum(s > 5 ? v : w) * x; target += s;",
        None,
    ),
    "uneven, for each": ("for (e in {x * v, w}) target += sum(e);", lambda x: 6 * x + 3),
    "uneven, argument": ("target += total({x * v, w, v});", lambda x: 6 * x + 2 * 3 + 3 * 6),
    "uneven, index": ("target += x * sum({v, w}[2]) + {v, w}[1, 3];", lambda x: 3 * x + 3),
    "uneven, range": ("target += total({v, w, x * v}[2 : 3]) + total({w, v}[z]);", lambda x: 3 + 12 * x + 3 + 12),
    "uneven, twice": ("target += x * sum({{v, w}, {w, v}}[2, 1]);", lambda x: 3 * x),
    "uneven by a condition": ("target += total({x > 0 ? v : w, x * w});", lambda x: (6 if x > 0 else 3) + 6 * x),
    "uneven size": ("target += x * size({v, w});", lambda x: 2 * x),
}  # fmt: skip


def by_operators(x):
    y = V if x > 0 else W
    return np.sum(-(2 * y + x) * y)


def one_after_another(x):
    s = 1.0
    for _ in range(30):
        s = 0.5 * s + np.sum(V if s > 5 else W) * x
    return s


@pytest.mark.parametrize("name", VALUES)
def test_values_and_derivatives_are_those_of_the_side_that_holds(name):
    statements, expected = VALUES[name]
    expected = {"operators": by_operators, "one after another": one_after_another}.get(name, expected)
    with jax.enable_x64(True):
        model = Model.from_stan(f"{FUNCTIONS}{DATA}parameters {{ real x; }} model {{ {statements} }}")
        density = jax.jit(jax.value_and_grad(model.log_density))
        for x in (0.7, -0.3, 1.4):
            value, gradient = density(jnp.array([x]))
            np.testing.assert_allclose(value, expected(x), rtol=1e-12)
            slope = (expected(x + 1e-6) - expected(x - 1e-6)) / 2e-6
            np.testing.assert_allclose(gradient[0], slope, rtol=1e-6, atol=1e-6)


def test_no_gradient_comes_from_the_other_side():
    """The logarithm of zero times `x` is on the side that does not hold."""
    program = "parameters { real x; } model { target += sum(log(x > 0 ? [x, x]' : [0 * x, 1, 1]')); }"
    value, gradient = jax.value_and_grad(Model.from_stan(program).log_density)(jnp.array([0.5]))
    np.testing.assert_allclose(value, 2 * np.log(0.5), rtol=1e-6)
    np.testing.assert_allclose(gradient[0], 4.0, rtol=1e-6)


@pytest.mark.parametrize(
    "statements",
    [
        "vector[3] u = x > 0 ? x * v : w; target += sum(u);",
        "vector[3] u; u = x > 0 ? x * v : w; target += sum(u);",
        "vector[6] u = w; u[2 : 4] = x > 0 ? x * v : w; target += sum(u[2 : 4]);",
        "target += dot_product(x * v, x > 0 ? rep_vector(1, 3) : w);",
        "target += sum(x * v + (x > 0 ? rep_vector(0, 3) : w));",
    ],
)
def test_sizes_that_do_not_fit_reject_the_point(statements):
    with jax.enable_x64(True):
        model = Model.from_stan(f"{DATA}parameters {{ real x; }} model {{ {statements} }}")
        density = jax.value_and_grad(model.log_density)
        value, gradient = density(jnp.array([0.7]))
        np.testing.assert_allclose([value, gradient[0]], [4.2, 6.0], rtol=1e-12)
        assert density(jnp.array([-0.7]))[0] == -np.inf


ERRORS = {
    "target += sum(rep_vector(1, x > 0 ? 3 : 6));": "a size depends on parameters",
    "target += sum(v[1 : (x > 0 ? 2 : 3)]);": "depends on",
    "target += sum(x * v + (rep_vector(0, 2) + (x > 0 ? v : w)));": "",
    "vector[2] u = x > 0 ? v : w;": "size",
    "vector[x > 0 ? 3 : 6] u = x > 0 ? v : w;": "a size depends on parameters",
    "while (sum(x > 0 ? v : w) > 4) break;": "the condition of a `while` loop depends on parameters",
    "array[2] vector[3] u = {v, w};": "the elements of this array have different sizes",
    "target += sum({v, w}[3]);": "index 3",
}


@pytest.mark.parametrize("statement", ERRORS)
def test_other_sizes_are_errors_with_their_place(statement):
    with pytest.raises(StanError) as caught:
        Model.from_stan(f"{DATA}parameters {{ real x; }} model {{ {statement} }}")
    assert ERRORS[statement] in caught.value.diagnostic.message
    assert caught.value.diagnostic.span.line == 2


def test_uneven_arrays_in_transformed_data():
    program = f"""{FUNCTIONS}transformed data {{
        real s = 0; real r; vector[3] v = [1, 2, 3]'; vector[6] w = rep_vector(1, 6);
        for (e in {{v, w}}) s += sum(e);
        r = total({{w, v, [0.5]'}});
    }}
    parameters {{ real x; }} model {{ target += s * x + r; }}"""
    with jax.enable_x64(True):
        value = Model.from_stan(program).log_density(jnp.array([0.25]))
    assert value == 12 * 0.25 + 6 + 12 + 1.5


GENERATED = """generated quantities {
  real y = sum(x > 0 ? v : w);
  real counted = 0;
  real u;
  real r = total({x > 0 ? v : w, w});
  { %s }
}"""


@pytest.mark.parametrize(
    "statements",
    [
        "u = sum(x > 0 ? v : w);",
        # what has to be computed draw by draw
        "int n = x > 0 ? 3 : 6; vector[n] a = x > 0 ? v : w; while (counted < n) counted += 1; u = sum(a);",
    ],
)
def test_generated_quantities_of_a_fit(statements):
    program = f"{FUNCTIONS}{DATA}parameters {{ real x; }} model {{ x ~ normal(0, 1); }}\n{GENERATED % statements}"
    if "while" in statements:
        with pytest.warns(UserWarning, match="draw by draw"):
            model = Model.from_stan(program)
    else:
        model = Model.from_stan(program)
    draws = pathfinder.fit(model, seed=1, num_paths=1, num_draws=40, refine=False, progress=False).draws
    right = np.where(draws["x"] > 0, 6.0, 3.0)
    assert 0 < np.mean(draws["x"] > 0) < 1
    np.testing.assert_allclose(draws["y"], right)
    np.testing.assert_allclose(draws["u"], right)
    np.testing.assert_allclose(draws["r"], right + 6)
    if "while" in statements:
        np.testing.assert_allclose(draws["counted"], np.where(draws["x"] > 0, 3, 6))
