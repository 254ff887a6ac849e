import math
import re

import numpy as np
import pytest

from psis import convergence_rate, describe_pareto_k, min_sample_size, pareto_k_threshold


@pytest.mark.parametrize(
    ("num_draws", "threshold"),
    [(1, -math.inf), (2, 1 - 1 / math.log10(2)), (10, 0), (100, 0.5), (1000, 2 / 3), (2200, 0.7), (10**6, 0.7)],
)
def test_threshold(num_draws, threshold):
    assert pareto_k_threshold(num_draws) == pytest.approx(threshold, abs=1e-12)


@pytest.mark.parametrize(
    ("k", "size"),
    [(-math.inf, 10), (-1, 10), (0, 10), (0.5, 100), (2 / 3, 1000), (0.75, 10**4), (0.999, math.inf)]
    + [(1, math.inf), (1.5, math.inf), (math.inf, math.inf), (math.nan, math.nan)],
)
def test_min_sample_size(k, size):
    assert min_sample_size(float(k)) == pytest.approx(size, rel=1e-9, nan_ok=True)


def test_threshold_and_sample_size_are_inverse():
    assert min_sample_size(pareto_k_threshold(500)) == pytest.approx(500, rel=1e-9)


def rate_as_printed(k, num_draws):
    """Appendix B of Vehtari et al. (2024), in the form of the R package posterior."""
    s = num_draws
    numerator = 2 * (k - 1) * s ** (2 * k + 1) + (1 - 2 * k) * s ** (2 * k) + s**2
    return numerator / ((s - 1) * (s - s ** (2 * k)))


@pytest.mark.parametrize("num_draws", [2, 100, 4000])
def test_convergence_rate_is_the_one_of_the_paper(num_draws):
    k = np.array([0.01, 0.2, 0.45, 0.55, 0.7, 0.9, 0.99])
    expected = [rate_as_printed(float(each), num_draws) for each in k]
    np.testing.assert_allclose(convergence_rate(k, num_draws), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("k", "rate"), [(-math.inf, 1), (-0.2, 1), (0, 1), (1, 0), (1.7, 0), (math.inf, 0)])
def test_convergence_rate_outside(k, rate):
    assert convergence_rate(float(k), 1000) == pytest.approx(rate, abs=1e-12)


def test_convergence_rate_at_one_half():
    limit = 1000 / 999 - 1 / math.log(1000)
    assert convergence_rate(0.5, 1000) == pytest.approx(limit, rel=1e-12)
    np.testing.assert_allclose(convergence_rate(0.5 + np.array([-1e-9, 1e-15, 1e-9]), 1000), limit, rtol=1e-7)


def test_convergence_rate_falls():
    assert np.all(np.diff(convergence_rate(np.linspace(0, 1, 101), 4000)) < 0)
    assert np.isnan(convergence_rate(math.nan, 4000))


def test_convergence_rate_needs_two_draws():
    with pytest.raises(ValueError, match="at least 2, got 1"):
        convergence_rate(0.3, 1)


@pytest.mark.parametrize(
    ("k", "num_draws", "words"),
    [
        (math.nan, 100, "not available"),
        (math.inf, 100, "of 100 draws too few"),
        (-math.inf, 100, "largest weights are all equal"),
        (-0.3, 100, "= -0.30 .* as reliable as the effective sample size says"),
        (0.7, 4000, "= 0.70 .at most 0.70 is good.: .* as reliable as"),
        (0.6, 100, "above 0.50: .* unreliable with 100 draws. Draw at least 317"),
        (0.71, 4000, "above 0.70: .* unreliable, and more draws help little"),
        (0.71, 100, "above 0.50: .* unreliable, and more draws help little"),
        (1.0, 4000, "no number of draws helps"),
    ],
)
def test_words_say_what_to_do(k, num_draws, words):
    sentence = describe_pareto_k(k, num_draws)
    assert sentence.endswith(".")
    assert re.search(words, sentence)


@pytest.mark.parametrize("k", [-math.inf, -0.3, 0.7])
@pytest.mark.parametrize(("size", "reliable"), [(35.0, False), (99.0, False), (100.0, True), (4000.0, True)])
def test_estimates_of_few_effective_draws_are_not_called_reliable(k, size, reliable):
    sentence = describe_pareto_k(k, 4000, size)
    assert ("are reliable." in sentence) == reliable
    assert ("effective sample size is" in sentence) != reliable


def test_a_large_sample_does_not_make_up_for_a_bad_tail():
    assert "are unreliable" in describe_pareto_k(0.9, 4000, 3000.0)
