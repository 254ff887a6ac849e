"""Interactions found from a program, against the entries of its Hessian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._patterns.dependence import DenseError, UnknownError
from pathfinder._patterns.program import interactions_of


DIM = 12
# What is left out later, and elements that are multiplied together, count for more than there is.
LAVISH = ("where", "stacked", "padded", "scatter")
ROWS = np.arange(DIM)
GROUPS = np.array([0, 0, 1, 1, 2, 2, 3, 3])
DESIGN = np.random.default_rng(0).normal(size=(5, 3))


def scanned(x):
    def step(before, own):
        return own, (own - 0.5 * before) ** 2

    return jnp.sum(jax.lax.scan(step, x[0], x[1:])[1])


def scattered(x):
    table = jnp.zeros(4).at[GROUPS].add(x[:8])
    return jnp.sum(jnp.exp(table)) + jnp.sum(jnp.zeros(DIM).at[jnp.array([3, 5])].set(x[:2]) ** 2)


def convolved(x):
    return jnp.sum(jnp.square(jax.lax.dynamic_slice(x, (3,), (4,)) * jnp.flip(x[:4])))


@jax.custom_jvp
def square(x):
    return x * x


square.defjvp(lambda primals, tangents: (square(*primals), 2 * primals[0] * tangents[0]))

EXACT = {
    "squares": lambda x: jnp.sum(x**2),
    "linear": lambda x: jnp.sum(3.0 * x - x[::-1] / 2.0),
    "chain": lambda x: jnp.sum((x[1:] - 0.9 * x[:-1]) ** 2),
    "scale": lambda x: jnp.sum((x[1:] / jnp.exp(x[0])) ** 2),
    "product": lambda x: jnp.sum(x[:6] * x[6:]),
    "ratio": lambda x: jnp.sum(x[:6] / x[6:]),
    "groups": lambda x: jnp.sum(jnp.log1p(jnp.exp(x[:4][GROUPS] + x[4]))),
    "regression": lambda x: jnp.sum(jnp.tanh(DESIGN @ x[:3])),
    "weighted": lambda x: jnp.sum((x.reshape(4, 3) @ DESIGN.T) ** 2),
    "dot": lambda x: x @ x + x[:2] @ x[4:6],
    "cumulative": lambda x: jnp.cumsum(x[:4])[1] ** 2,
    "concatenated": lambda x: jnp.sum(jnp.concatenate([x[:2], x[5:7] * x[0]]) ** 2),
    "stacked": lambda x: jnp.sum(jnp.prod(jnp.stack([x[:6], x[6:]]), axis=0)),
    "padded": lambda x: jnp.sum(jnp.pad(x[:5], 2)[1:4] ** 3),
    "where": lambda x: jnp.sum(jnp.where(ROWS > 5, x**2, x)[6:]),
    "transposed": lambda x: jnp.sum(jnp.square(x.reshape(3, 4).T[1:] - x.reshape(3, 4).T[:-1])),
    "maximum": lambda x: jnp.max(x) + jnp.sum(jnp.abs(x)),
    "normalized": lambda x: jax.nn.logsumexp(x[:3]) + jnp.sum(jax.nn.sigmoid(x[3:])),
    "scan": scanned,
    "scatter": scattered,
    "slices": convolved,
    "inner functions": lambda x: jnp.sum(jax.jit(square)(x) + jax.checkpoint(square)(x[::-1])),
    "condition": lambda x: jax.lax.cond(x[0] > 0, lambda: x[1] * x[2], lambda: x[3] ** 2),
    "constants": lambda x: jnp.sum(jnp.cumsum(jnp.ones(DIM)) * x**2 + jnp.asarray(np.ones(DIM))[::-1]),
}


def entries_of_hessian(function, points=6):
    """Which second derivatives are not 0 somewhere."""
    hessian = jax.jit(jax.hessian(function))
    rng = np.random.default_rng(1)
    return sum(np.abs(hessian(rng.normal(size=DIM))) for _ in range(points)) > 0


@pytest.mark.parametrize("name", EXACT)
def test_interactions_are_the_entries_of_the_hessian(name):
    found = interactions_of(EXACT[name], DIM, np.float64).pairs.toarray() > 0
    expected = entries_of_hessian(EXACT[name])
    np.testing.assert_array_equal(found, found.T)
    if name in LAVISH:
        assert np.all(found >= expected)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda x: jnp.sum(x) ** 2, DenseError),
        (lambda x: jax.nn.logsumexp(x), DenseError),
        (lambda x: jnp.sum(jnp.sort(x) ** 2), UnknownError),
        (lambda x: jnp.sum(jax.lax.scan(lambda c, o: (0.5 * c + o, jnp.tanh(c)), 0.0, x)[1]), DenseError),
        (lambda x: jax.lax.while_loop(lambda c: c[0] < 3, lambda c: c * 1.1, x)[0], UnknownError),
        (lambda x: jnp.sum(jnp.cumprod(x)), UnknownError),
        (lambda x: jnp.sum(jnp.real(jnp.fft.fft(x)) ** 2), UnknownError),
        (lambda x: jnp.sum(x[jnp.argsort(x)] ** 2), UnknownError),
    ],
)
def test_what_may_interact_with_all_is_dense(function, error):
    with pytest.raises(error, match="nonlinear function of"):
        interactions_of(function, 100, np.float64)


def test_a_long_loop_is_not_gone_through():
    with pytest.raises(UnknownError):
        interactions_of(scanned, 30_000, np.float64)


def test_data_that_say_who_meets_whom():
    groups = jnp.asarray(np.random.default_rng(0).integers(0, 100, 500))
    found = interactions_of(lambda x: jnp.sum((x[100:][: len(groups)] - x[groups]) ** 2), 600, np.float64)
    expected = np.eye(600, dtype=bool)
    expected[100 + np.arange(500), groups] = expected[groups, 100 + np.arange(500)] = True
    expected[np.arange(100), np.arange(100)] = np.isin(np.arange(100), groups)
    np.testing.assert_array_equal(found.pairs.toarray() > 0, expected)
