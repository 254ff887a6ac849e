"""Estimates from draws that may have unequal weights, and what they are worth."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import psis
from pathfinder_cli._inputs.draws_file import DrawsFile
from psis._weights import weighted_quantile


class WeightedDraws(NamedTuple):
    """The draws of several files as one sample.

    Args:
        draws: One row per draw.
        weights: Their weights, which sum to one.
        has_sizes: Whether anything is known of what the draws are worth: whether they have weights or were chosen by
            them.
        reliability: What is to be said of the weights found here; empty if there are none.
    """

    draws: np.ndarray
    weights: np.ndarray
    has_sizes: bool
    reliability: str


class Estimates(NamedTuple):
    """Estimates for each column; the quantiles on the first axis of theirs."""

    mean: np.ndarray
    mcse: np.ndarray
    sd: np.ndarray
    quantiles: np.ndarray
    effective_sample_size: np.ndarray


def joined(files: Sequence[DrawsFile]) -> WeightedDraws:
    """Join files with the same columns.

    The ratios of all files that were not resampled are smoothed together, so that draws of a poor path count less; in a
    file of equal weights each draw counts as one.
    """
    draws = np.concatenate([file.draws for file in files])
    every = [file.log_ratios for file in files]
    weights = np.ones(len(draws))
    is_weighted = np.concatenate(
        [np.full(len(file.draws), own is not None) for file, own in zip(files, every, strict=True)]
    )
    reliability = ""
    ratios = [own for own in every if own is not None]
    if ratios:
        smoothed = psis.smooth_log_weights(np.concatenate(ratios))
        weights[is_weighted] = np.exp(smoothed.log_weights) * is_weighted.sum()
        size = float(smoothed.effective_sample_size)
        reliability = psis.describe_pareto_k(float(smoothed.pareto_k), int(is_weighted.sum()), size)
    has_sizes = all(own is not None or file.is_resampled for file, own in zip(files, every, strict=True))
    return WeightedDraws(draws, weights / weights.sum(), has_sizes, reliability)


def estimates(sample: WeightedDraws, probabilities: Sequence[float]) -> Estimates:
    """Mean, its standard error, standard deviation, quantiles and effective sample size of each column.

    The effective sample size of a mean is s^2 / sum(W^2 (x - mean)^2) over the distinct draws, where W is the weight of
    all copies of one together: the variance of the posterior over that of the self-normalized estimate (Owen 2013,
    Monte Carlo theory, methods and examples, 9.2). Copies made by resampling count once, so it has what was lost by the
    weights and what by resampling.
    """
    draws, weights = sample.draws, sample.weights
    used = weights > 0
    draws, weights = draws[used], weights[used]
    size = len(draws)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        mean = weights @ draws
        squares = (draws - mean) ** 2
        variance = weights @ squares
        sd = np.sqrt(variance * size / (size - 1)) if size > 1 else np.full(draws.shape[1], np.nan)
        rows = np.ascontiguousarray(draws).view(
            np.dtype((np.void, draws.shape[1] * draws.itemsize))
        )  # as bytes, so that NaN equals NaN
        _, first, group = np.unique(rows, return_index=True, return_inverse=True)
        totals = np.bincount(group.ravel(), weights)
        sizes = variance / (totals**2 @ squares[first]) if sample.has_sizes else np.full(draws.shape[1], np.nan)
        mcse = sd / np.sqrt(sizes)
    quantiles = np.array([weighted_quantile(draws, weights, probability) for probability in probabilities])
    quantiles[:, np.isnan(draws).any(axis=0)] = np.nan
    return Estimates(mean, mcse, sd, quantiles, sizes)
