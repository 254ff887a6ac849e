"""Functions of all lanes at once against a loop over the instances."""

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.solvers.last_axis import on_lanes, with_lanes


def collatz(has_lanes, lanes, start, addend):
    """Steps to one, and the steps of the lane that needs most."""
    start, addend = with_lanes(start, has_lanes[0], lanes), with_lanes(addend, has_lanes[1], lanes)

    def step(carry):
        number, count = carry
        following = jnp.where(number % 2 == 0, number // 2, 3 * number + 1)
        return jnp.where(number > 1, following, number), count + (number > 1)

    _, count = jax.lax.while_loop(lambda carry: jnp.any(carry[0] > 1), step, (start, jnp.zeros_like(start)))
    return {"steps": count + addend, "most": jnp.full(lanes, jnp.max(count)), "lanes": jnp.full(lanes, lanes)}


COLLATZ = [0, 1, 7, 2, 5, 8, 16]  # of 1, 2, ..., 7


def test_a_single_instance():
    found = on_lanes(collatz)(jnp.asarray(7), jnp.asarray(100))
    assert found["steps"] == 116
    assert found["lanes"] == 1


def test_nested_lanes_are_joined():
    """Each order of axes gives the same, and the function sees the product of their sizes."""
    numbers, addends = np.arange(1, 8), np.array([0, 100])
    function = on_lanes(collatz)
    inner = jax.jit(jax.vmap(jax.vmap(function, (0, None)), (None, 0)))(numbers, addends)
    outer = jax.jit(jax.vmap(jax.vmap(function, (None, 0)), (0, None)))(numbers, addends)
    expected = np.array(COLLATZ)[None] + addends[:, None]
    np.testing.assert_array_equal(inner["steps"], expected)
    np.testing.assert_array_equal(outer["steps"], expected.T)
    np.testing.assert_array_equal(inner["lanes"], 14)
    np.testing.assert_array_equal(inner["most"], 16)


def test_both_axes_in_one_argument():
    numbers = np.arange(1, 7).reshape(2, 3)
    found = jax.vmap(jax.vmap(lambda n: on_lanes(collatz)(n, 0)))(numbers)
    np.testing.assert_array_equal(found["steps"], np.reshape(COLLATZ[:6], (2, 3)))
    assert np.all(found["lanes"] == 6)
