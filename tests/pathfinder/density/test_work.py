"""How much programs compute."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.traces import expecting
from pathfinder._density.work import USUAL_TURNS, operations, work


def looped(x):
    return jax.lax.scan(lambda total, _: (total + jnp.sum(x), None), 0.0, None, length=7)[0]


def until(x):
    return jax.lax.while_loop(lambda total: total < 10.0, lambda total: total + jnp.sum(x), 0.0)


@pytest.mark.parametrize(
    ("function", "least", "most"),
    [
        (jnp.sum, 5, 10),
        (jax.jit(jnp.sum), 5, 10),
        (lambda x: jnp.sum(jnp.ones((100, 5)) @ x), 1000, 1700),
        (looped, 35, 100),
        (lambda x: jax.lax.cond(x[0] > 0, lambda: jnp.sum(jnp.exp(x)), lambda: 0.0), 10, 20),
        (until, math.inf, math.inf),
        (lambda x: jnp.linalg.cholesky(jnp.outer(x, x))[0, 0], math.inf, math.inf),
    ],
    ids=["sum", "called", "product", "loop", "choice", "loop of unknown length", "LAPACK"],
)
def test_work_follows_from_shapes(function, least, most):
    traced = jax.make_jaxpr(function)(jax.ShapeDtypeStruct((5,), np.float64))
    assert least <= work(traced.jaxpr) <= most


def expected(x):
    with expecting(1000):
        return jax.jit(until)(x)


def test_loops_of_unknown_length_take_a_usual_number_of_turns_or_what_they_say():
    traced = [
        jax.make_jaxpr(function)(jax.ShapeDtypeStruct((5,), np.float64)).jaxpr
        for function in (until, expected, lambda x: until(x) + expected(x))
    ]
    usual, said, both = map(operations, traced)
    assert 5 * USUAL_TURNS <= usual <= 10 * USUAL_TURNS
    assert said == usual * 1000 / USUAL_TURNS
    assert both == said + usual + 1
    assert work(traced[1]) == math.inf
