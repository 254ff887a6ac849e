"""Relative efficiency of Markov chain draws."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float


def relative_efficiency(draws: Float[np.ndarray, "chain draw"]) -> float:
    """Effective sample size of correlated draws over their number, for `reff` in smoothing.

    Of the mean of `draws`, with split chains: Vehtari et al. (2021, Bayesian Analysis 16(2))
    with the initial monotone sequence of Geyer (1992). Agrees with ArviZ's
    `ess(method="mean", relative=True)`. For the ratios of MCMC draws pass their exponentials,
    up to a constant factor. Antithetic draws give values above 1, at most log10(S).

    Args:
        draws: A scalar quantity in each chain, at least four draws a chain.

    Returns:
        The relative efficiency; 1 if the draws are all equal, as there is nothing to estimate.

    Raises:
        ValueError: If `draws` is not a matrix of at least four draws a chain, or not finite.
    """
    draws = np.asarray(draws, dtype=float)
    if draws.ndim != 2 or draws.shape[0] < 1 or draws.shape[1] < 4:
        raise ValueError(f"`draws` must have shape (chains, draws >= 4), got {draws.shape}.")
    if not np.all(np.isfinite(draws)):
        raise ValueError(f"`draws` has {np.count_nonzero(~np.isfinite(draws))} value(s) that are not finite.")
    # Less spread than this is rounding, as in ArviZ.
    if np.ptp(draws) < np.finfo(float).resolution:
        return 1.0
    half = draws.shape[1] // 2
    chains = np.concatenate([draws[:, :half], draws[:, -half:]])
    autocorrelation_time = _geyer_sum(_autocorrelation(chains))
    # Bounded as in Stan: a negative estimate would make the draws worth more than infinitely many.
    return 1 / max(autocorrelation_time, 1 / math.log10(chains.size))


def _autocorrelation(chains: Float[np.ndarray, "chain draw"]) -> Float[np.ndarray, " draw"]:
    """Autocorrelation at each lag of all chains together, the nearer to 1 the more their means differ."""
    num_draws = chains.shape[1]
    centered = chains - np.mean(chains, axis=1, keepdims=True)
    length = 1 << (2 * num_draws - 1).bit_length()  # zeros enough that no lag wraps around
    spectrum = np.fft.rfft(centered, n=length, axis=1)
    autocovariance = np.fft.irfft(np.abs(spectrum) ** 2, n=length, axis=1)[:, :num_draws] / num_draws
    autocovariance = np.mean(autocovariance, axis=0)
    within = autocovariance[0] * num_draws / (num_draws - 1)
    total = autocovariance[0] + np.var(np.mean(chains, axis=1), ddof=1)
    autocorrelation = 1 - (within - autocovariance) / total
    autocorrelation[0] = 1
    return autocorrelation


def _geyer_sum(autocorrelation: Float[np.ndarray, " draw"]) -> float:
    """Integrated autocorrelation time: sums of neighbours, kept while positive and falling."""
    # The last pairs of lags rest on one or two products each and are not used, as in Stan.
    num_pairs = max((len(autocorrelation) - 1) // 2, 1)
    even, odd = autocorrelation[: 2 * num_pairs : 2], autocorrelation[1 : 2 * num_pairs : 2]
    pairs = even + odd
    end = int(np.argmax(pairs <= 0)) if np.any(pairs <= 0) else num_pairs - 1
    falling = np.minimum.accumulate(pairs[:end])
    # The even lag of the pair that ends the sequence still counts where it is positive, as in Stan.
    return float(-1 + 2 * np.sum(falling) + max(even[end], 0))
