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


UNKNOWN = (math.inf, math.inf)


@pytest.mark.parametrize(
    ("function", "of_work", "of_operations"),
    [
        (jnp.sum, (5, 10), (5, 10)),
        (jax.jit(jnp.sum), (5, 10), (5, 10)),
        (lambda x: jnp.sum(jnp.ones((100, 5)) @ x), (1000, 1700), (1000, 1700)),
        (looped, (35, 100), (35, 100)),
        (lambda x: jax.lax.cond(x[0] > 0, lambda: jnp.sum(jnp.exp(x)), lambda: 0.0), (10, 20), (10, 20)),
        (until, UNKNOWN, (5 * USUAL_TURNS, 10 * USUAL_TURNS)),
        (lambda x: jnp.linalg.cholesky(jnp.outer(x, x))[0, 0], UNKNOWN, (5**3 / 3, 400)),
        (jax.vmap(lambda x: jnp.linalg.cholesky(jnp.eye(5) * x)[0, 0]), UNKNOWN, (5 * 5**3 / 3, 2000)),
    ],
    ids=["sum", "called", "product", "loop", "choice", "loop of unknown length", "LAPACK", "stack"],
)
def test_numbers_follow_from_shapes(function, of_work, of_operations):
    traced = jax.make_jaxpr(function)(jax.ShapeDtypeStruct((5,), np.float64))
    for count, (least, most) in ((work, of_work), (operations, of_operations)):
        assert least <= count(traced.jaxpr) <= most


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
