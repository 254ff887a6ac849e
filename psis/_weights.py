"""Log weights: what they sum to, and how many equal weights they are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float


def effective_sample_size(log_weights: Float[Any, "*batch draw"]) -> Float[Any, "*batch"]:
    """Effective sample size 1 / sum(w^2) of the normalized weights w (Kong, 1992).

    Between 1 (one draw has all the weight) and the number of draws (equal weights). It says
    nothing about draws that the proposal has missed; the Pareto k-hat does.

    Args:
        log_weights: Log weights, normalized or not; -inf is weight zero.

    Returns:
        The effective sample size of each vector. For JAX arrays NaN where a log weight is
        NaN or +inf or all are -inf, which NumPy arrays refuse.

    Raises:
        ValueError: For NumPy arrays with a log weight of NaN or +inf, or without a positive
            weight.
    """
    if isinstance(log_weights, np.ndarray):
        check_log_weights(log_weights)
    xp = log_weights.__array_namespace__()
    weights = xp.exp(log_weights - _finite_max(log_weights))
    squares = xp.sum(weights * weights, axis=-1)
    usable = squares > 0
    return xp.where(usable, xp.sum(weights, axis=-1) ** 2 / xp.where(usable, squares, 1.0), xp.nan)[()]


def weighted_quantile(
    values: Float[np.ndarray, "draw variable"], weights: Float[np.ndarray, " draw"], probability: float
) -> Float[np.ndarray, " variable"]:
    """The least value of each variable at which the weights up to there reach a probability; NaN counts as largest."""
    order = np.argsort(values, axis=0, kind="stable")
    cumulative = np.cumsum(weights[order], axis=0)
    first = np.argmax(cumulative >= probability * cumulative[-1] * (1 - 1e-12), axis=0)
    return np.take_along_axis(values, np.take_along_axis(order, first[None], axis=0), axis=0)[0]


def log_sum_exp(log_weights: Float[Any, "*batch draw"]) -> Float[Any, "*batch 1"]:
    """Logarithm of the sum of the weights, at least one of which is positive and all finite."""
    xp = log_weights.__array_namespace__()
    largest = xp.max(log_weights, axis=-1, keepdims=True)
    return largest + xp.log(xp.sum(xp.exp(log_weights - largest), axis=-1, keepdims=True))


def check_log_weights(log_weights: Float[np.ndarray, "*batch draw"]) -> None:
    """Refuse log weights that do not define a distribution over the draws."""
    num_unusable = np.count_nonzero(np.isnan(log_weights) | (log_weights == np.inf))
    if num_unusable:
        raise ValueError(
            f"`log_weights` has {num_unusable} value(s) that are NaN or +inf; "
            "set those of draws that are not wanted to -inf."
        )
    if not np.all(np.any(log_weights > -np.inf, axis=-1)):
        raise ValueError("`log_weights` gives no draw a positive weight: all values are -inf.")


def _finite_max(log_weights):
    xp = log_weights.__array_namespace__()
    largest = xp.max(log_weights, axis=-1, keepdims=True)
    return xp.where(xp.isfinite(largest), largest, 0.0)
