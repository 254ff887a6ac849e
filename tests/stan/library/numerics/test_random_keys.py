import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._library.numerics.random_keys import as_of_jax, written_out


KEY = jax.random.key(8)
MANY = jax.random.split(KEY, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
@pytest.mark.parametrize("shape", [(), (5,), (3, 4)])
def test_bits_are_those_of_jax(dtype, shape):
    np.testing.assert_array_equal(jax.random.bits(written_out(KEY), shape, dtype), jax.random.bits(KEY, shape, dtype))


@pytest.mark.parametrize(
    "draw",
    [
        lambda key: jax.random.normal(key, (4, 2)),
        lambda key: jax.random.normal(jax.random.fold_in(key, 2**31 + 7)),
        lambda key: jax.vmap(jax.random.uniform)(jax.random.split(key, 6)),
        lambda key: jax.random.categorical(key, jnp.zeros(50)),
        lambda key: jax.random.loggamma(key, jnp.array([0.2, 3.0])),
        lambda key: jax.random.poisson(as_of_jax(key), jnp.array([0.2, 30.0])),
    ],
)
def test_draws_of_many_keys_are_those_of_jax(draw):
    np.testing.assert_array_equal(jax.jit(jax.vmap(draw))(written_out(MANY)), jax.jit(jax.vmap(draw))(MANY))


def test_it_is_no_loop():
    """A loop at each place that draws is what takes long to compile."""

    def draw(key):
        return jax.random.normal(jax.random.fold_in(key, 1), (8,))

    assert "stablehlo.while" in jax.jit(draw).lower(KEY).as_text()
    assert "stablehlo.while" not in jax.jit(lambda key: draw(written_out(key))).lower(KEY).as_text()
