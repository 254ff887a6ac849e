"""Densities of which some points take far longer than others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import Model
from pathfinder._density.uneven import HEAVY, is_uneven


def heavy(x):
    for _ in range(HEAVY // 2):
        x = jnp.sin(x) * 0.5
    return x


def until_small(turn):
    return lambda x: jax.lax.while_loop(lambda y: jnp.abs(y) > 1e-3, turn, x)


def counted(x):
    return jax.lax.fori_loop(0, 5, lambda _, y: heavy(y), x)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (heavy, False),
        (counted, False),
        (until_small(lambda y: 0.5 * y), False),
        (until_small(heavy), True),
        (jax.jit(until_small(heavy)), True),
        (lambda x: jax.lax.cond(x > 0, until_small(heavy), heavy, x), True),
        (lambda x: jax.lax.scan(lambda y, _: (until_small(heavy)(y), None), x, length=3)[0], True),
        (until_small(until_small(heavy)), True),
    ],
)
def test_heavy_loops_that_nobody_has_counted(function, expected):
    assert is_uneven(jax.make_jaxpr(function)(1.0).jaxpr) is expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("array[2] vector[1] y = ode_rk45(decay, [1.0]', 0, {1.0, 2.0}, x); y[2] ~ normal(1, 1);", True),
        ("array[2] vector[1] y = ode_bdf(decay, [1.0]', 0, {1.0, 2.0}, x); y[2] ~ normal(1, 1);", True),
        ("target += gamma_lcdf(x | 2 * x, 1.3) + beta_lcdf(0.3 | 1 + x, 1.3);", False),
    ],
)
def test_stan_programs(statement, expected):
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):  # as users have it
        model = Model.from_stan(
            "functions { vector decay(real t, vector y, real rate) { return -rate * y; } }"
            f"parameters {{ real<lower=0> x; }} model {{ {statement} }}"
        )
        traced = jax.make_jaxpr(model.density)(np.zeros(1), model.data)
    assert is_uneven(traced.jaxpr) is expected
