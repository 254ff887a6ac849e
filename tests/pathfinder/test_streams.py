"""Random streams."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pathfinder._streams import Stream, counted_keys, fold_in, host_generator, normal, path_keys, uniform


KEY = jnp.array([7, 123], jnp.uint32)


@pytest.mark.parametrize("counter", [0, 1, 12345, 2**31])
def test_keys_are_those_of_jax(counter):
    theirs = jax.random.key_data(jax.random.fold_in(jax.random.wrap_key_data(KEY), np.uint32(counter)))
    np.testing.assert_array_equal(fold_in(KEY, jnp.uint32(counter)), theirs)


def test_a_path_has_the_same_key_whatever_the_number_of_paths():
    few, many = (path_keys(KEY, np.arange(count), Stream.ELBO) for count in (1, 9))
    np.testing.assert_array_equal(few[0], many[0])


def test_streams_and_paths_differ():
    keys = np.concatenate([path_keys(KEY, np.arange(20), stream) for stream in Stream])
    assert len(np.unique(keys, axis=0)) == 20 * len(Stream)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_numbers_have_their_distribution(dtype):
    keys = counted_keys(KEY, np.arange(500))
    numbers = np.asarray(jax.vmap(lambda key: uniform(key, 40, dtype))(keys))
    assert numbers.dtype == dtype
    assert stats.kstest(numbers.ravel(), stats.uniform(-1, 2).cdf).pvalue > 1e-3
    gaussian = np.asarray(jax.vmap(lambda key: normal(key, 40, dtype))(keys))
    assert stats.kstest(gaussian.ravel(), stats.norm.cdf).pvalue > 1e-3
    correlation = np.corrcoef(gaussian.T) - np.eye(40)
    assert np.abs(correlation).max() < 6 / np.sqrt(500)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_extreme_words_give_finite_normals(dtype, monkeypatch):
    for word in (0, 2**32 - 1):
        ends = (jnp.full(1, word, jnp.uint32),) * 2
        monkeypatch.setattr("pathfinder._streams.threefry", lambda *counters, ends=ends: ends)
        assert np.isfinite(normal(KEY, 1, dtype)).all()


def test_host_generators_differ_by_purpose_and_repeat():
    first, again, other = (host_generator(KEY, purpose).random(3) for purpose in ("a", "a", "b"))
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)
