"""Choosing draws by their weights."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from psis._weights import check_log_weights


ResampleMethod = Literal["multinomial", "stratified", "systematic", "without_replacement"]


def resample(
    log_weights: Float[Any, " draw"], num_draws: int, *, method: ResampleMethod, rng: np.random.Generator
) -> Int[np.ndarray, " num_draws"]:
    """Choose `num_draws` draws with probabilities proportional to their weights w.

    A draw of weight zero is never chosen. The order of the indices is random, so that any
    part of them is a sample too. Methods:

    - "multinomial": independent choices with replacement (sampling importance resampling,
      Rubin 1987).
    - "stratified": with replacement, one choice in each of `num_draws` equal parts of the
      cumulative weights (Kitagawa 1996). Draw i is expected num_draws * w_i times, as with
      "multinomial", but the counts vary less.
    - "systematic": as "stratified", with the same offset in every part (Carpenter, Clifford
      and Fearnhead 1999): draw i is chosen num_draws * w_i times, rounded down or up.
    - "without_replacement": all different. Each choice is made among the draws left, by the
      `num_draws` largest sums of log weight and Gumbel noise (Yellott 1977; Efraimidis and
      Spirakis 2006), in the order chosen. Not biased only as long as few of the draws are
      chosen: the more, the closer is the sample to the proposal (Gelman et al. 2013, Bayesian
      Data Analysis, section 10.4).

    Args:
        log_weights: Log weights, normalized or not; -inf is weight zero.
        num_draws: How many indices to return, at least 1.
        method: One of the methods above.
        rng: Source of the random numbers.

    Returns:
        Indices into `log_weights`.

    Raises:
        ValueError: If an argument is out of range, a log weight is NaN or +inf, no weight is
            positive, or fewer are than `num_draws` asks for without replacement.
    """
    if method not in get_args(ResampleMethod):
        names = ", ".join(f'"{name}"' for name in get_args(ResampleMethod))
        raise ValueError(f"`method` must be one of {names}, got {method!r}.")
    if num_draws < 1:
        raise ValueError(f"`num_draws` must be at least 1, got {num_draws}.")
    log_weights = np.asarray(log_weights, dtype=float)
    if log_weights.ndim != 1 or log_weights.size == 0:
        raise ValueError(f"`log_weights` must be a vector of at least one draw, got {log_weights.shape}.")
    check_log_weights(log_weights)

    positive = np.flatnonzero(log_weights > -np.inf)
    chosen = _choose(log_weights[positive], num_draws, method, rng)
    return positive[chosen]


def _choose(log_weights, num_draws, method, rng):
    """Indices into log weights that are all finite."""
    if method == "without_replacement":
        return _without_replacement(log_weights, num_draws, rng)
    if method == "multinomial":
        return _invert(log_weights, rng.random(num_draws))
    # The parts are in the order of the draws; permuted, lest the first indices be of the first draws.
    offset = rng.random() if method == "systematic" else rng.random(num_draws)
    return rng.permutation(_invert(log_weights, (np.arange(num_draws) + offset) / num_draws))


def _invert(log_weights, probabilities):
    """Invert the cumulative distribution of the draws."""
    cumulative = np.cumsum(np.exp(log_weights - np.max(log_weights)))
    # Right, so that weights which underflow to zero are skipped; a probability that is rounded
    # up to one belongs to the last draw that adds to the sum.
    chosen = np.searchsorted(cumulative, probabilities * cumulative[-1], side="right")
    return np.minimum(chosen, np.searchsorted(cumulative, cumulative[-1], side="left"))


def _without_replacement(log_weights, num_draws, rng):
    if num_draws > log_weights.size:
        raise ValueError(
            f"Cannot choose {num_draws} draws without replacement: only {log_weights.size} have a positive "
            "weight. Ask for fewer, or use a method with replacement."
        )
    return np.argsort(-(log_weights + rng.gumbel(size=log_weights.size)))[:num_draws]
