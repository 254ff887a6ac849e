import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from pathfinder._arrays.streams import (
    BLOCK,
    COMPILED_FROM,
    Stream,
    chi_square,
    counted_keys,
    draw_keys,
    fit_key,
    fold_in,
    host_generator,
    normal,
    path_keys,
    path_numbers,
    threefry,
    uniform,
)


SEED = jnp.asarray([0, 42], jnp.uint32)
MANY = COMPILED_FROM  # numbers at once
BOTH = pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])


@BOTH
def test_threefry_known_answers(xp):
    """The test vectors of Random123 (Salmon et al. 2011), kat_vectors, threefry 2x32 with 20 rounds."""
    ones = 0xFFFFFFFF
    known = [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((ones, ones), (ones, ones), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ]
    for key, counter, words in known:
        key, counter = xp.asarray(key, xp.uint32), xp.asarray(counter, xp.uint32)
        assert tuple(int(word) for word in threefry(key, counter[..., 0], counter[..., 1])) == words


@BOTH
def test_folding_in_is_that_of_jax(xp):
    for counter in (0, 1, 12345, 2**31 - 1):
        expected = jax.random.key_data(jax.random.fold_in(jax.random.key(42), counter))
        np.testing.assert_array_equal(fold_in(xp.asarray(SEED), xp.asarray(counter)), expected)


@BOTH
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_uniform_and_normal_numbers(dtype, xp):
    numbers = uniform(xp.asarray(SEED), 100_000, dtype)
    assert numbers.dtype == dtype
    assert np.all(np.abs(numbers) < 1)
    assert scipy.stats.kstest(np.asarray(numbers, float), scipy.stats.uniform(-1, 2).cdf).pvalue > 0.001
    draws = normal(xp.asarray(SEED), 100_000, dtype)
    assert draws.dtype == dtype
    assert np.all(np.isfinite(draws))
    assert scipy.stats.kstest(np.asarray(draws, float), "norm").pvalue > 0.001


@BOTH
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_chi_square_numbers(dtype, xp):
    """They are independent of the numbers that come before, and of those of other keys."""
    keys = draw_keys(xp.asarray(SEED), 50_000)
    numbers = chi_square(keys, 3, dtype)
    assert numbers.dtype == dtype
    numbers = np.asarray(numbers, float)
    assert scipy.stats.kstest(numbers, scipy.stats.chi2(4).cdf).pvalue > 0.001
    for others in np.asarray(normal(keys, 3, dtype), float).T:
        for own in (others, others**2):
            assert abs(scipy.stats.spearmanr(numbers, own).statistic) < 4 / np.sqrt(50_000)
    assert abs(scipy.stats.spearmanr(numbers[1:], numbers[:-1]).statistic) < 4 / np.sqrt(50_000)
    following = -2.0 * np.log(0.5 + 0.5 * np.asarray(uniform(keys[7], 5, dtype), float)[3:]).sum()
    np.testing.assert_allclose(numbers[7], following, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dim", [1, 3, BLOCK + 7])
def test_numbers_of_the_host_are_those_of_jax(dtype, dim):
    """Uniform ones bit for bit, normal ones to the rounding of JAX's `erf_inv`."""
    keys = np.stack([path_keys(np.asarray(SEED), np.arange(3), stream) for stream in (Stream.ELBO, Stream.DRAWS)])
    found, expected = uniform(keys, dim, dtype), uniform(jnp.asarray(keys), dim, dtype)
    assert isinstance(found, np.ndarray)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    draws = normal(keys, dim, dtype)
    assert draws.shape == (2, 3, dim)
    np.testing.assert_allclose(
        draws, normal(jnp.asarray(keys), dim, dtype), rtol=1e-5 if dtype == np.float32 else 1e-12
    )
    unit = scipy.stats.norm.cdf(np.asarray(draws, float))
    np.testing.assert_allclose(2 * unit - 1, found, atol=1e-7 if dtype == np.float32 else 1e-15)
    for own, key in zip(draws.reshape(-1, dim), keys.reshape(-1, 2), strict=True):
        np.testing.assert_array_equal(own, normal(key, dim, dtype))


def test_keys_of_the_host_are_those_of_jax():
    key, lanes = np.asarray(SEED), np.array([0, 5, -1])
    found = path_keys(key, lanes, Stream.DRAWS)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, path_keys(SEED, lanes, Stream.DRAWS))
    draws = draw_keys(found, 4)
    assert isinstance(draws, np.ndarray)
    np.testing.assert_array_equal(draws, draw_keys(jnp.asarray(found), 4))
    for lane in range(3):
        np.testing.assert_array_equal(draws[lane], counted_keys(found[lane], np.arange(4)))
    assert isinstance(fit_key(key, 3), np.ndarray)
    np.testing.assert_array_equal(fit_key(key, 3), fit_key(SEED, 3))


def test_longer_vectors_begin_like_shorter_ones():
    np.testing.assert_array_equal(normal(SEED, 3, float), normal(SEED, 10, float)[:3])


@pytest.mark.parametrize(("short", "long"), [(3, 10), (BLOCK - 1, BLOCK + 9), (MANY + 5, MANY + 70_000)])
def test_where_blocks_of_the_host_end_does_not_matter(short, long):
    key = np.asarray(SEED)
    np.testing.assert_array_equal(normal(key, short, float), normal(key, long, float)[:short])


def test_keys_of_a_path_do_not_depend_on_the_others():
    few, many = (path_keys(SEED, np.arange(n), Stream.DRAWS) for n in (2, 9))
    np.testing.assert_array_equal(few, many[:2])
    np.testing.assert_array_equal(path_keys(SEED, np.array([7]), Stream.DRAWS)[0], many[7])


def test_paths_that_are_not_counted_from_zero():
    whole = path_keys(SEED, path_numbers(0, 9), Stream.DRAWS)
    np.testing.assert_array_equal(path_keys(SEED, path_numbers(3, 6), Stream.DRAWS), whole[3:])
    np.testing.assert_array_equal(path_keys(SEED, path_numbers(-1, 4), Stream.DRAWS)[1:], whole[:3])
    assert path_numbers(2**31 - 2, 4).tolist() == [2**31 - 2, 2**31 - 1, -(2**31), -(2**31) + 1]
    np.testing.assert_array_equal(fit_key(SEED, 0), SEED)
    keys = {tuple(np.asarray(fit_key(SEED, first)).tolist()) for first in (-1, 0, 1, 2)}
    assert len(keys) == 4


def test_one_key_per_lane_is_as_good_as_one_for_all():
    lanes = np.arange(5)
    alone = path_keys(SEED, lanes, Stream.ELBO)
    repeated = path_keys(jnp.broadcast_to(SEED, (5, 2)), lanes, Stream.ELBO)
    np.testing.assert_array_equal(alone, repeated)


def test_no_key_is_used_twice():
    keys = [
        tuple(np.asarray(key))
        for stream in Stream
        for lane in path_keys(SEED, np.arange(20), stream)
        for key in counted_keys(lane, np.arange(5))
    ]
    assert len(set(keys)) == len(Stream) * 20 * 5


def test_host_generators_are_apart():
    one, same, other, third = (
        host_generator(key, purpose).random()
        for key, purpose in [(SEED, "a"), (SEED, "a"), (SEED, "b"), (fold_in(SEED, jnp.asarray(1)), "a")]
    )
    assert one == same
    assert len({one, other, third}) == 3


# Long rows, rows of which many fit into a block, and a row that ends within its last block.
@pytest.mark.parametrize(("rows", "dim"), [(3, MANY // 3 + 5), (MANY // 7 + 3, 7), (1, MANY + 5)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_makes_many_numbers_is_compiled_and_changes_no_bit(compilations, rows, dim, dtype):
    keys = path_keys(np.asarray(SEED), np.arange(rows), Stream.DRAWS)
    few_at_a_time = [normal(part, min(dim, MANY - 1), dtype) for part in np.array_split(keys, min(rows, 8))]
    assert not compilations
    jax.clear_caches()
    compiled = normal(keys, dim, dtype)
    assert len(compilations) == 1
    assert compiled.dtype == dtype
    np.testing.assert_array_equal(compiled[:, : MANY - 1], np.concatenate(few_at_a_time))
