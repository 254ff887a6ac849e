"""Which variables of the data block are observations, and the values that results show of it."""

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import Model
from pathfinder.stan import parse
from pathfinder.stan._program.named_data import observed_names


DATA = """
data {
  int n; vector[n] y; array[n] int k; vector[n] x; matrix[2, 2] m; array[n] vector[2] z; tuple(real, vector[2]) t;
}
parameters { real mu; vector[2] b; }
"""


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("y ~ normal(mu, 1);", ["y"]),
        ("mu ~ normal(x[1], 1);", []),
        ("for (i in 1:n) { if (k[i] > 0) y[i] ~ normal(mu * x[i], 1); else target += normal_lpdf(x[i] | mu, 1); }",
         ["y", "x"]),
        ("target += poisson_log_lupmf(k | mu) + normal_lcdf(x | mu, 1);", ["k"]),
        ("to_vector(m)[1:2] ~ normal(mu, 1); segment(y, 1, 2)' ~ normal(0, 1);", ["y", "m"]),
        ("for (row in z) { for (each in row) each ~ normal(mu, 1); }", ["z"]),
        ("t.2 ~ normal(mu, 1);", ["t"]),
        ("y - x ~ normal(mu, 1);", []),
        ("target += reduce_sum(part_lpmf, k, 1, mu);", ["k"]),
        ("profile(\"a\") { y[1:n] ~ normal(mu, 1) T[0, ]; }", ["y"]),
    ],
)  # fmt: skip
def test_observations_are_what_has_a_density(model, names):
    assert observed_names(parse(f"{DATA}\nmodel {{ {model} }}")) == names
    assert observed_names(parse(f"functions {{ void f(vector y) {{}} }} {DATA}")) == []


def test_values_are_those_of_the_data_block():
    program = """
    data { int n; vector[n] y; tuple(int, vector[2]) t; complex c; array[n] complex_vector[2] cs; vector[0] none; }
    transformed data { real twice = 2 * n; }
    parameters { real mu; }
    model { y ~ normal(mu, 1); t.2 ~ normal(mu, 1); }
    """
    cs = np.arange(4).reshape(2, 2) * (1 - 1j)
    data = {"n": 2, "y": [1.5, 2.5], "t": (3, [4.0, 5.0]), "c": 6 + 7j, "cs": cs, "none": []}
    model = Model.from_stan(program, data, dims={"y": ("row",)})
    named = model.named_data
    assert list(named)[:6] == ["n", "y", "t:1", "t:2", "c.real", "c.imag"]
    assert model.observed == ("y", "t:1", "t:2")
    assert model.data_dims == {"y": ("row",)}
    assert (named["n"], named["t:1"], named["c.real"], named["c.imag"]) == (2, 3, 6.0, 7.0)
    np.testing.assert_array_equal(named["y"], data["y"])
    np.testing.assert_array_equal(named["t:2"], [4.0, 5.0])
    assert (named["cs.2.1.real"], named["cs.2.1.imag"]) == (2.0, -2.0)
    assert named["none"].shape == (0,)
    with pytest.raises(ValueError, match=r"`dims` gives `y` 2 names of axes, but its shape is \[2\]"):
        Model.from_stan(program, data, dims={"y": ("row", "column")})


def test_arrays_given_in_their_place_have_no_names():
    from dataclasses import replace

    model = Model.from_stan("data { real y; } parameters { real mu; } model { mu ~ normal(y, 1); }", {"y": 2.0})
    other = replace(model, data={**model.data, "density": [jnp.ones(())]})
    assert (list(model.named_data), other.named_data) == (["y"], {})
