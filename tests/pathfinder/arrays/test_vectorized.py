"""Functions over many lanes: the values of `vmap`, and no call of LAPACK on a CPU that waits for other threads."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.lapack import MOST_WORK, largest_work, waits
from pathfinder._arrays.vectorized import over_lanes


SIZE = 40


def matrix(x):
    """A symmetric positive definite matrix that depends on a number."""
    i = jnp.arange(float(SIZE))
    return jnp.exp(-0.5 * ((i[:, None] - i[None, :]) / 3.0) ** 2) + (1.0 + x**2) * jnp.eye(SIZE)


def loop(x):
    def step(total, k):
        return total + jnp.linalg.slogdet(matrix(x + k))[1], None

    return jax.lax.scan(step, 0.0, jnp.arange(3.0))[0]


def stacked(x):
    """Large calls within one lane already."""
    factors = jnp.linalg.cholesky(jax.vmap(matrix)(x + jnp.arange(30.0)))
    return jnp.sum(jax.scipy.linalg.solve_triangular(factors, jnp.ones((30, SIZE, 2)), lower=True))


def chosen(x):
    return jax.lax.cond(x > 0.5, lambda: jnp.linalg.cholesky(matrix(x))[-1, -1], lambda: x)


FUNCTIONS = {
    "cholesky": lambda x: jnp.linalg.cholesky(matrix(x))[-1],
    "triangular_solve": lambda x: jax.scipy.linalg.solve_triangular(matrix(x), jnp.ones((SIZE, 4)), lower=True),
    "lu": lambda x: jnp.linalg.solve(matrix(x), jnp.ones((SIZE, 2))),
    "qr": lambda x: jnp.linalg.qr(matrix(x)[:, :7])[1],
    "eigh": lambda x: jnp.linalg.eigh(matrix(x))[0],
    "svd": lambda x: jnp.linalg.svd(matrix(x), compute_uv=False),
    "expm": lambda x: jax.scipy.linalg.expm(0.1 * matrix(x))[0],
    "gradient": jax.value_and_grad(lambda x: jnp.sum(jnp.linalg.cholesky(matrix(x))[-1])),
    "nested": lambda x: over_lanes(lambda y: jnp.linalg.cholesky(matrix(y))[-1])(x + jnp.arange(5.0)),
    "loop": loop,
    "gradient of a loop": jax.value_and_grad(loop),
    "stack": stacked,
    "gradient of a stack": jax.value_and_grad(stacked),
    "condition": chosen,
    "known condition": lambda x: jax.lax.cond(True, lambda: jnp.linalg.cholesky(matrix(x))[-1, -1], lambda: x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_those_of_vmap_and_no_call_waits(name):
    function, x = FUNCTIONS[name], jnp.linspace(0.1, 1.0, 37)
    assert waits(jax.make_jaxpr(jax.vmap(function))(x).jaxpr)
    assert not waits(jax.make_jaxpr(over_lanes(function))(x).jaxpr)
    found = jax.jit(over_lanes(function))(x)
    # One lane at a time: jaxlib's calls on whole stacks are what may stand still.
    expected = jax.tree_util.tree_map(lambda *each: np.stack(each), *[jax.jit(function)(each) for each in x])
    jax.tree_util.tree_map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10), found, expected)


def test_one_lane_with_large_calls_of_its_own():
    x = jnp.ones(1)
    assert not waits(jax.make_jaxpr(over_lanes(stacked))(x).jaxpr)
    np.testing.assert_allclose(over_lanes(stacked)(x)[0], stacked(1.0), rtol=1e-12)


def test_small_matrices_stay_together():
    """What is too little work for another thread is done at once for all lanes."""
    program = jax.make_jaxpr(over_lanes(lambda x: jnp.linalg.cholesky(x * jnp.eye(3))))(jnp.ones(1000))
    assert program.out_avals[0].shape == (1000, 3, 3)
    assert {eqn.primitive.name for eqn in program.jaxpr.eqns}.isdisjoint({"scan", "while", "cond"})


def test_batches_hold_as_many_lanes_as_do_not_wait():
    size = 10

    def middle(x):
        return jnp.linalg.cholesky(x * jnp.eye(size))

    work = largest_work(jax.make_jaxpr(middle)(1.0).jaxpr)
    assert work == pytest.approx(size**3 / 3)
    together = largest_work(jax.make_jaxpr(over_lanes(middle))(jnp.ones(5000)).jaxpr)
    assert 0.9 * MOST_WORK < together < MOST_WORK


def test_other_devices_take_all_lanes_at_once():
    program = jax.make_jaxpr(over_lanes(FUNCTIONS["cholesky"]))(jnp.ones(64))
    (choice,) = [eqn for eqn in program.jaxpr.eqns if eqn.primitive.name == "cond"]
    largest = [largest_work(branch.jaxpr) for branch in choice.params["branches"]]
    assert largest[0] < MOST_WORK
    assert largest[1] == pytest.approx(64 * SIZE**3 / 3)


def test_arguments_that_are_not_arrays_and_results_in_a_structure():
    summed = over_lanes(lambda pair, nothing: {"sum": pair[0] + pair[1], "none": nothing})
    found = summed((jnp.ones(3), jnp.ones(3)), None)
    np.testing.assert_array_equal(found["sum"], 2.0 * np.ones(3))
    assert found["none"] is None


def test_arrays_of_numpy_come_as_whole_stacks():
    lanes, nothing = np.arange(6.0).reshape(3, 2), None
    assert over_lanes(lambda own, none: (own is lanes, none))(lanes, nothing) == (True, None)
