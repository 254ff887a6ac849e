"""The evidence lower bound, estimated from scored draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pathfinder._arrays.namespace import Array


class ElboEstimate(NamedTuple):
    """Estimates of evidence lower bounds.

    Args:
        mean: The estimate; -inf where no draw has a finite density.
        standard_error: Its Monte Carlo standard error; NaN with fewer than two finite draws.
        num_finite: Draws with a finite density.
    """

    mean: Float[np.ndarray, "*lanes"]
    standard_error: Float[np.ndarray, "*lanes"]
    num_finite: Int[np.ndarray, "*lanes"]


def estimate_elbo(log_p: Float[Array, "*lanes draw"], log_q: Float[Array, "*lanes draw"]) -> ElboEstimate:
    """ELBO and its Monte Carlo standard error from scored draws on the last axis.

    Draws with a non-finite density (NaN, or infinite of either sign) carry no mass. With n of K draws left, the
    estimate is the mean log ratio over those n plus log(n / K): the ELBO of the approximation truncated to where the
    density is finite, which is a valid bound. So a few bad draws lower an approximation's rank by a little and many by
    a lot, where a plain mean would be -inf for both.
    """
    log_p, log_q = np.asarray(log_p, np.float64), np.asarray(log_q, np.float64)
    num_draws = log_p.shape[-1]
    finite = np.isfinite(log_p) & np.isfinite(log_q)
    ratios = np.where(finite, log_p, 0.0) - np.where(finite, log_q, 0.0)
    count = finite.sum(axis=-1)
    some = np.maximum(count, 1)
    mean = ratios.sum(axis=-1) / some
    with np.errstate(over="ignore"):  # ratios of 1e200 have an infinite standard error
        squares = np.where(finite, (ratios - mean[..., None]) ** 2, 0.0).sum(axis=-1)
    standard_error = np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1) / some), np.nan)
    elbo = np.where(count > 0, mean + np.log(some / num_draws), -np.inf)
    return ElboEstimate(elbo, standard_error, count)
