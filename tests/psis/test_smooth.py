"""Smoothing against a version in plain loops, ArviZ, Stan and closed forms; and every corner."""

import inspect
import math
import subprocess
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psis import PSISResult, effective_sample_size, fit_generalized_pareto, pareto_k_threshold, smooth_log_weights
from psis._smooth import tail_length


INF, NAN = math.inf, math.nan


def smooth_by_loops(log_ratios, reff=1.0):
    """Unnormalized smoothed log weights and k; k is NaN where ties leave no fit."""
    size = len(log_ratios)
    largest = max(log_ratios)
    cutoff = sorted(log_ratios)[-math.ceil(min(size / 5, 3 * math.sqrt(size / reff))) - 1]
    tail = sorted((i for i in range(size) if log_ratios[i] > cutoff), key=lambda i: (log_ratios[i], i))
    if len({log_ratios[i] for i in tail}) < 2 or len(tail) < 5:
        return list(log_ratios), NAN
    exceedances = [math.exp(log_ratios[i] - largest) - math.exp(cutoff - largest) for i in tail]
    k, sigma = fit_generalized_pareto(np.array(exceedances))
    smoothed = list(log_ratios)
    for j, i in enumerate(tail):
        quantile = sigma * ((1 - (j + 0.5) / len(tail)) ** -k - 1) / k
        smoothed[i] = largest + min(math.log(quantile + math.exp(cutoff - largest)), 0)
    return smoothed, k


def smoothed_ratios(result: PSISResult):
    """Log ratios after smoothing, before normalization."""
    num_draws = result.log_weights.shape[-1]
    return result.log_weights + np.expand_dims(result.log_mean_ratio, -1) + math.log(num_draws)


@pytest.mark.parametrize("num_draws", [25, 100, 226, 1000])
@pytest.mark.parametrize("step", [0.0, 0.5])  # rounding to halves makes ties, at the cutoff too
def test_agrees_with_plain_loops(num_draws, step):
    rng = np.random.default_rng(num_draws)
    for scale, reff in [(0.5, 1.0), (2.0, 0.3), (5.0, 1.4)]:
        log_ratios = rng.normal(size=num_draws) * scale
        log_ratios = np.round(log_ratios / step) * step if step else log_ratios
        expected, k = smooth_by_loops(log_ratios.tolist(), reff)
        result = smooth_log_weights(log_ratios, reff=reff)
        np.testing.assert_allclose(smoothed_ratios(result), expected, rtol=0, atol=1e-9)
        assert result.pareto_k == pytest.approx(k, abs=1e-9) if np.isfinite(k) else abs(result.pareto_k) == INF
        assert result.effective_sample_size == pytest.approx(reff * effective_sample_size(np.array(expected)))


def test_agrees_with_arviz(arviz):
    if not hasattr(arviz, "psislw"):
        pytest.skip("The reference is psislw of ArviZ before version 1; the one of ArviZ 1 differs from it by 1e-5.")
    rng = np.random.default_rng(2)
    for _ in range(200):
        num_draws = int(rng.integers(21, 3000))
        scale, reff = 10 ** rng.uniform(-4, 1.2), 10 ** rng.uniform(-1, 0.3)
        noise = rng.normal(size=num_draws) if rng.random() < 0.5 else rng.standard_t(3, size=num_draws)
        log_ratios = scale * noise + rng.normal(scale=100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected, k = arviz.psislw(log_ratios, reff=reff)
        result = smooth_log_weights(log_ratios, reff=reff)
        np.testing.assert_allclose(result.log_weights, expected, rtol=0, atol=1e-10)
        assert result.pareto_k == pytest.approx(k, abs=1e-10)


@pytest.mark.parametrize(
    ("num_draws", "scale", "k", "total"),
    [(100, 1, -0.75356428, 53.20951584), (100, 3, -0.70961673, 33.14559128), (400, 2, -0.34468698, 110.03389115)],
)
def test_agrees_with_stan_where_tails_are_equally_long(num_draws, scale, k, total):
    """Numbers of the steps of Stan's psis.hpp (2.35), whose weights are relative to the largest raw one."""
    index = np.arange(1, num_draws + 1)
    log_ratios = scale * np.sin(index**1.5) + 0.001 * index
    result = smooth_log_weights(log_ratios)
    assert result.pareto_k == pytest.approx(k, abs=1e-8)
    assert np.sum(np.exp(smoothed_ratios(result) - np.max(log_ratios))) == pytest.approx(total, abs=1e-7)


@pytest.mark.parametrize("rate", [0.3, 0.5, 0.8, 0.95])
def test_exponential_proposals_have_a_known_k(rate):
    """Target Exponential(1), proposal with `rate` times the mean: the ratios are Pareto with k = 1 - rate."""
    num_draws = 40000
    log_ratios = (1 - rate) * np.random.default_rng(3).exponential(size=(20, num_draws)) + math.log(rate)
    result = smooth_log_weights(log_ratios)
    k, n = 1 - rate, tail_length(num_draws, 1.0)
    shrunk, standard_error = (n * k + 5) / (n + 10), (1 + k) / math.sqrt(n * 20)
    assert np.mean(result.pareto_k) == pytest.approx(shrunk, abs=4 * standard_error + 1 / n)
    if k < 0.5:  # the ratios' mean is one, and their variance finite
        deviation = math.sqrt(rate**2 / (2 * rate - 1) - 1)
        mean_ratio = np.mean(np.exp(result.log_mean_ratio))
        assert mean_ratio == pytest.approx(1, abs=4 * deviation / math.sqrt(20 * num_draws))


def test_batch_axes_are_independent():
    rng = np.random.default_rng(4)
    log_ratios = rng.normal(size=(2, 3, 200)) * np.array([0.5, 2.0, 8.0])[:, None]
    log_ratios[0, 1, :190] = -INF
    log_ratios[1, 0] = 0.0
    batch = smooth_log_weights(log_ratios)
    for index in np.ndindex(2, 3):
        for found, expected in zip(batch, smooth_log_weights(log_ratios[index]), strict=True):
            np.testing.assert_allclose(found[index], expected, rtol=1e-12)


def test_input_is_left_alone():
    log_ratios = np.random.default_rng(5).normal(size=100)
    before = log_ratios.copy()
    smooth_log_weights(log_ratios)
    np.testing.assert_array_equal(log_ratios, before)


@pytest.mark.parametrize(
    ("num_draws", "reff", "length"),
    [(1, 1, 0), (2, 1, 1), (20, 1, 4), (21, 1, 5), (25, 1, 5), (225, 1, 45), (226, 1, 46), (1000, 1, 95)]
    + [(4000, 1, 190), (4000, 0.25, 380), (4000, 0.01, 800), (3, 0.01, 1)],
)
def test_tail_length_is_rounded_up(num_draws, reff, length):
    assert tail_length(num_draws, float(reff)) == length


def among(values, num_draws, others):
    """`values` scattered over a vector of `others`."""
    log_ratios = np.full(num_draws, others)
    log_ratios[np.random.default_rng(6).permutation(num_draws)[: len(values)]] = values
    return log_ratios


FALLING = -np.arange(15.0)
NOISE = np.random.default_rng(7).normal(size=100)

# Ratios, k-hat (None: any finite one), effective sample size, number of invalid ratios.
CORNERS = {
    "one draw": ([3.0], INF, 1, 0),
    "two draws": ([0.0, math.log(3)], INF, 1.6, 0),
    "two equal draws": ([1.0, 1.0], -INF, 2, 0),
    "ten equal draws": (np.ones(10), -INF, 10, 0),
    "equal draws": (np.full(100, -7.0), -INF, 100, 0),
    "equal but for rounding": (1e4 + 1e-11 * NOISE, -INF, 100, 0),
    "four of 20 draws": (np.log(np.r_[np.ones(16), 2 * np.ones(4)]), INF, 24**2 / 32, 0),
    "only four valid": (among(np.log([1.0, 2, 3, 4]), 100, NAN), INF, 100 / 30, 96),
    "only one valid": (among([5.0], 100, -INF), INF, 1, 99),
    # Stan: NaN, and weight 1 for 20 draws of which five are invalid.
    "first quartile at the cutoff": (among(FALLING, 100, -INF), None, None, 85),
    "first quartile at the cutoff, NaN": (among(FALLING, 100, NAN), None, None, 85),
    "equal among invalid": (among(np.zeros(15), 100, -INF), -INF, 15, 85),
    "equal tail": (among(np.zeros(30), 100, math.log(0.5)), -INF, 65**2 / 47.5, 0),
    "equal above lower ties": (among(np.zeros(19), 100, math.log(0.5)), -INF, 59.5**2 / 39.25, 0),
    "three above ties": (among(np.r_[np.log([2.0, 2, 4]), np.zeros(30)], 100, -INF), INF, 38**2 / 54, 67),
    "ties": (np.repeat(NOISE[:20], 5), None, None, 0),
    "fifty orders of magnitude apart": (among(50 * FALLING, 100, -INF), None, 1, 85),
    "beyond the smallest number": (5e3 * NOISE, INF, 1, 0),
    "quartile beyond the smallest number": (np.linspace(-7.08e2, 0, 20).repeat(5)[4:], None, None, 0),
}


@pytest.mark.parametrize(("log_ratios", "k", "ess", "num_invalid"), CORNERS.values(), ids=CORNERS)
def test_corner(log_ratios, k, ess, num_invalid):
    log_ratios = np.asarray(log_ratios)
    valid = log_ratios > -INF
    result = smooth_log_weights(log_ratios)
    if k is None:
        assert np.isfinite(result.pareto_k)
    else:
        assert result.pareto_k == k
        np.testing.assert_allclose(smoothed_ratios(result)[valid], log_ratios[valid], atol=1e-9)  # not smoothed
    if ess is not None:
        assert result.effective_sample_size == pytest.approx(ess, rel=1e-9)
    assert result.num_invalid == num_invalid
    assert np.sum(np.exp(result.log_weights)) == pytest.approx(1, rel=1e-12)
    np.testing.assert_array_equal(result.log_weights > -INF, valid)


def test_equal_weights_are_good_and_few_are_not():
    good = smooth_log_weights(np.zeros(100)).pareto_k
    bad = smooth_log_weights(among([1.0, 2.0], 100, -INF)).pareto_k
    assert good <= pareto_k_threshold(100) < bad


def test_many_invalid_draws_are_smoothed_as_if_cut_at_zero():
    result = smooth_log_weights(among(FALLING, 100, -INF))
    ascending = np.sort(np.exp(FALLING))
    k, sigma = fit_generalized_pareto(ascending)
    survival = 1 - (np.arange(15) + 0.5) / 15
    expected = np.minimum(sigma * (survival**-k - 1) / k, 1)
    found = np.sort(smoothed_ratios(result)[result.log_weights > -INF])
    assert result.tail_length == 15
    assert result.pareto_k == pytest.approx(k, rel=1e-9)
    np.testing.assert_allclose(found, np.log(expected), rtol=1e-9)


def test_invalid_draws_count_as_draws():
    """Ten draws outside the support lengthen the tail and lower the mean ratio, nothing else."""
    log_ratios = NOISE[:90]
    result = smooth_log_weights(np.concatenate([log_ratios, np.full(10, NAN)]))
    assert result.tail_length == tail_length(100, 1.0) == 20
    assert result.pareto_k == smooth_log_weights(np.concatenate([log_ratios, np.full(10, -1e3)])).pareto_k
    equal = smooth_log_weights(among(np.zeros(60), 100, NAN))
    assert equal.log_mean_ratio == pytest.approx(math.log(0.6))


@pytest.mark.parametrize("invalid", [NAN, -INF])
def test_many_vectors_with_ties_are_smoothed_like_each_of_them(invalid):
    ratios = np.round(np.random.default_rng(5).normal(size=(7, 3, 1000)), 1)
    ratios[2, 1, :980] = invalid  # the cutoff is that of weight zero
    ratios[3, 0] = 0.0
    together = smooth_log_weights(ratios)
    for index in np.ndindex(7, 3):
        for ours, alone in zip(together, smooth_log_weights(ratios[index]), strict=True):
            np.testing.assert_array_equal(ours[index], alone)


def test_ties_are_smoothed_in_the_order_of_the_draws():
    result = smooth_log_weights(np.repeat(NOISE[:20], 5))
    assert np.all(np.diff(result.log_weights.reshape(20, 5), axis=1) >= 0)


@pytest.mark.parametrize(
    ("log_ratios", "message"),
    [
        (np.r_[NOISE, INF], r"\+inf at 1 draw\(s\), index 100: .* set these ratios to NaN"),
        (np.r_[[INF] * 7, NOISE], r"\+inf at 7 draw\(s\), index 0, 1, 2, 3, 4, \.\.\.: "),
        (np.array([[0.0, 1.0], [INF, 0.0]]), r"\+inf at 1 draw\(s\), index \(1, 0\): "),
        (np.array([NAN, -INF, NAN]), "None of the 3 `log_ratios` is finite: all are NaN or -inf"),
        (np.array([[0.0, 1.0], [NAN, -INF]]), "None of the 2 `log_ratios` in 1 of 2 vectors is finite"),
        (np.zeros((3, 0)), r"at least one draw on its last axis, got \(3, 0\)"),
        (np.zeros(()), r"at least one draw on its last axis, got \(\)"),
        (np.zeros(5, dtype=int), "must be floating point, got int64"),
        ([1.0, 2.0], "must be a NumPy or JAX array, got list"),
    ],
)
def test_wrong_ratios_are_refused(log_ratios, message):
    unchecked = inspect.unwrap(smooth_log_weights)  # our message, also where types are checked at run time
    with pytest.raises(ValueError, match=message):
        unchecked(log_ratios)


@pytest.mark.parametrize("reff", [0.0, -1.0, INF, NAN])
def test_wrong_efficiency_is_refused(reff):
    with pytest.raises(ValueError, match="`reff` must be a finite number above 0"):
        smooth_log_weights(NOISE, reff=reff)


@pytest.mark.usefixtures("strict_jax")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_jit_agrees_with_numpy(dtype):
    compiled = jax.jit(smooth_log_weights)
    rows = [np.asarray(case[0]) for case in CORNERS.values() if len(case[0]) == 100]
    rows = np.stack([*rows, *(scale * NOISE for scale in (0.01, 0.3, 1, 3, 10))]).astype(dtype)
    result, expected = compiled(jnp.asarray(rows)), smooth_log_weights(rows)
    # Float32 resolves exceedances next to the cutoff to a few digits only.
    tolerance = 1e-9 if dtype == np.float64 else 2e-3
    for name, one, other in zip(PSISResult._fields, result, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, err_msg=name)
        assert np.asarray(one).dtype == np.asarray(other).dtype
    assert result.log_weights.dtype == result.pareto_k.dtype == result.effective_sample_size.dtype == dtype


@pytest.mark.usefixtures("strict_jax")
@pytest.mark.parametrize("log_ratios", [[3.0], [0.0] * 10, [0.0] * 19 + [1.0]])
def test_jit_with_few_draws(log_ratios):
    result = jax.jit(smooth_log_weights)(jnp.asarray(log_ratios))
    for one, other in zip(result, smooth_log_weights(np.array(log_ratios)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.usefixtures("strict_jax")
def test_jit_gives_nan_where_numpy_raises():
    rows = np.stack([NOISE, among([INF], 100, 0.0), among([INF], 100, NAN), np.full(100, NAN), np.full(100, -INF)])
    result = jax.jit(smooth_log_weights)(jnp.asarray(rows))
    expected = smooth_log_weights(NOISE)
    np.testing.assert_allclose(result.log_weights[0], expected.log_weights, rtol=1e-9)
    np.testing.assert_array_equal(result.num_invalid, [0, 0, 99, 100, 100])
    for name in ("log_weights", "pareto_k", "effective_sample_size", "log_mean_ratio"):
        assert np.all(np.isnan(getattr(result, name)[1:]))


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_float32_is_close_to_float64(scale):
    log_ratios = (scale * np.random.default_rng(8).normal(size=4000)).astype(np.float32)
    single, double = smooth_log_weights(log_ratios), smooth_log_weights(log_ratios.astype(np.float64))
    assert single.pareto_k == pytest.approx(double.pareto_k, abs=1e-4)
    np.testing.assert_allclose(single.log_weights, double.log_weights, atol=1e-4)


def test_numpy_needs_no_jax():
    program = "import psis, sys, numpy; psis.smooth_log_weights(numpy.arange(50.0)); sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Multiples of 1/8 up to 50, so that adding a constant is exact.
ratio = st.integers(-400, 400).map(lambda i: i / 8)
ratios = st.lists(ratio, min_size=1, max_size=80)
with_invalid = st.lists(ratio | st.sampled_from([NAN, -INF]), min_size=1, max_size=80).filter(
    lambda values: any(value > -INF for value in values)
)
seeded = settings(derandomize=True, deadline=None, database=None, max_examples=150)


@seeded
@given(with_invalid, st.integers(-1000, 1000))
def test_constant_changes_nothing(values, constant):
    result, moved = smooth_log_weights(np.array(values)), smooth_log_weights(np.array(values) + constant)
    assert moved.log_mean_ratio - constant == pytest.approx(result.log_mean_ratio, abs=1e-9)
    for one, other in zip(moved[:-1], result[:-1], strict=True):
        np.testing.assert_array_equal(one, other)


@seeded
@given(st.lists(ratio, min_size=1, max_size=80, unique=True), st.randoms(use_true_random=False))
def test_weights_move_with_their_draws(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    result, permuted = smooth_log_weights(np.array(values)), smooth_log_weights(np.array(values)[order])
    assert permuted.pareto_k == result.pareto_k
    np.testing.assert_allclose(permuted.log_weights, result.log_weights[order], rtol=0, atol=1e-12)


@seeded
@given(with_invalid)
def test_weights_are_a_distribution_over_the_valid_draws(values):
    values = np.array(values)
    result = smooth_log_weights(values)
    valid = values > -INF
    assert np.sum(np.exp(result.log_weights)) == pytest.approx(1, rel=1e-12)
    np.testing.assert_array_equal(result.log_weights[~valid], -INF)
    assert np.all(np.isfinite(result.log_weights[valid]))
    assert result.num_invalid == np.sum(~valid)
    assert 1 - 1e-9 <= result.effective_sample_size <= np.sum(valid) + 1e-9
    assert not np.isnan(result.pareto_k)


@seeded
@given(with_invalid)
def test_smoothing_keeps_the_order_and_the_largest(values):
    values = np.array(values)
    smoothed = smoothed_ratios(smooth_log_weights(values))
    valid = values > -INF
    order = np.argsort(values[valid], stable=True)
    assert np.all(np.diff(smoothed[valid][order]) >= -1e-12)
    assert np.all(smoothed <= np.max(values[valid]) + 1e-12)


@seeded
@given(ratios)
def test_draws_below_the_tail_keep_their_ratios(values):
    result = smooth_log_weights(np.array(values))
    body = np.argsort(values, stable=True)[: len(values) - int(result.tail_length)]
    np.testing.assert_allclose(smoothed_ratios(result)[body], np.array(values)[body], rtol=0, atol=1e-11)
