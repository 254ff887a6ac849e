"""Estimates from draws that may have unequal weights, and what they are worth."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import psis
from pathfinder._draws.summary import effective_sizes
from pathfinder_cli._inputs.draws_file import DrawsFile
from psis._weights import weighted_quantile


class WeightedDraws(NamedTuple):
    """The draws of several files as one sample.

    Args:
        draws: One row per draw.
        weights: Their weights, which sum to one.
        groups: Numbers that copies of a draw have in common, and so have the states of a chain.
        has_sizes: Whether anything is known of what the draws are worth: whether they have weights or were chosen by
            them.
        reliability: What is to be said of the weights found here; empty if there are none.
    """

    draws: np.ndarray
    weights: np.ndarray
    groups: np.ndarray
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
    return WeightedDraws(draws, weights / weights.sum(), _groups(files, draws), has_sizes, reliability)


def _groups(files: Sequence[DrawsFile], draws: np.ndarray) -> np.ndarray:
    """The group of each draw: of a state the first one of its chain, so that a file given twice counts once."""
    # As bytes, so that NaN equals NaN.
    rows = np.ascontiguousarray(draws).view(np.dtype((np.void, draws.shape[1] * draws.itemsize)))
    groups = np.unique(rows, return_inverse=True)[1].ravel()
    end = 0
    for file in files:
        own = groups[end : (end := end + len(file.draws))]
        if (chains := file.chain_ids) is not None:
            _, first, chain = np.unique(chains, return_index=True, return_inverse=True)
            own[:] = own[first][chain]
    return groups


def estimates(sample: WeightedDraws, probabilities: Sequence[float]) -> Estimates:
    """Mean, its standard error, standard deviation, quantiles and effective sample size of each column.

    Copies made by resampling count once, so the effective sample size has what was lost by the weights and what by
    resampling; states of a chain depend on each other.
    """
    used = sample.weights > 0
    draws, weights, groups = sample.draws[used], sample.weights[used], sample.groups[used]
    size = len(draws)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        mean = weights @ draws
        squares = (draws - mean) ** 2
        variance = weights @ squares
        sd = np.sqrt(variance * size / (size - 1)) if size > 1 else np.full(draws.shape[1], np.nan)
        known = effective_sizes(draws, weights, groups)
        sizes = np.where(sample.has_sizes & (variance > 0), known, np.nan)
        mcse = sd / np.sqrt(sizes)
    quantiles = np.array([weighted_quantile(draws, weights, probability) for probability in probabilities])
    quantiles[:, np.isnan(draws).any(axis=0)] = np.nan
    return Estimates(mean, mcse, sd, quantiles, sizes)
