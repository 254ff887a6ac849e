"""Named values keep the order in which they were written, through whatever pytree they went."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder._arrays.key_order import in_key_order, key_order, map_in_order


class Pair(NamedTuple):
    second: dict
    first: dict


def keys(tree):
    """All keys of dictionaries in a pytree, from the outside inwards."""
    if isinstance(tree, dict):
        return [each for key, child in tree.items() for each in (key, *keys(child))]
    return [each for child in tree for each in keys(child)] if isinstance(tree, list | tuple) else []


@pytest.mark.parametrize(
    "tree",
    [
        {"b": 1.0, "a": 2.0},
        {"b": {"z": 1.0, "y": [2.0, {"d": 3.0, "c": 4.0}]}, "a": ({"q": 5.0, "p": 6.0},)},
        Pair({"b": 1.0, "a": 2.0}, {"d": 3.0, "c": 4.0}),
        [1.0, (2.0,)],
        None,
        3.0,
    ],
)
def test_what_jax_sorts_comes_back_as_it_was(tree):
    doubled = jax.tree_util.tree_map(lambda leaf: 2 * leaf, tree)
    ordered = in_key_order(key_order(tree), doubled)
    assert keys(ordered) == keys(tree)
    assert ordered == doubled
    assert type(ordered) is type(tree)
    assert keys(map_in_order(jnp.asarray, tree)) == keys(tree)


def test_a_model_s_functions_see_the_user_s_order():
    seen = {}

    def log_density(params, data):
        seen["density"] = [*params, *data]
        return -0.5 * sum(jnp.sum(value**2) for value in params.values()) + data["y"].sum()

    model = pathfinder.Model.from_log_density(
        log_density,
        {"zeta": 0.0, "alpha": jnp.ones(2)},
        data={"y": jnp.ones(1), "b": jnp.ones(1)},
        transformed=lambda params, data: {f"{name}_squared": value**2 for name, value in params.items()},
        generated=lambda key, params, data: {f"{name}_new": value for name, value in {**params, **data}.items()},
    )
    names = [variable.name for variable in model.variables]
    assert seen["density"] == ["zeta", "alpha", "y", "b"]
    assert list(model.data) == ["y", "b"]
    assert names[:4] == ["zeta", "alpha", "zeta_squared", "alpha_squared"]
    assert names[4:] == ["zeta_new", "alpha_new", "y_new", "b_new"]


STAN = """
data { int N; vector[N] y; }
parameters { real zeta; vector[2] alpha; }
transformed parameters { real z = zeta; tuple(real, real) m = (zeta, 1); real b = 2; }
model { zeta ~ normal(0, 1); alpha ~ normal(y, 1); }
generated quantities { real zz = zeta; vector[2] n = alpha; real aa = 2 * zeta; if (zeta > 0.5) reject("large"); }
"""
COLUMNS = ["zeta", "alpha", "z", "m:1", "m:2", "b", "zz", "n", "aa"]


@pytest.fixture(scope="module")
def stan_result():
    model = pathfinder.Model.from_stan(STAN, {"N": 2, "y": [1.0, 2.0]})
    result = pathfinder.fit(model, seed=1, progress=False, refine=False, num_paths=1, num_draws=20)
    with pytest.warns(UserWarning, match="large"):
        assert result.draws
    return result


def test_stan_programs_are_written_in_order_of_declaration(stan_result):
    names = [variable.name for variable in stan_result.model.variables]
    assert names == COLUMNS
    assert list(stan_result.draws) == COLUMNS
    scalars = list(dict.fromkeys(str(name).split("[")[0] for name in stan_result.summary().index))
    assert scalars == COLUMNS
    np.testing.assert_array_equal(
        stan_result.draws["zz"][stan_result.draws["zeta"] <= 0.5],
        stan_result.draws["zeta"][stan_result.draws["zeta"] <= 0.5],
    )
