"""What a Pareto k-hat means: thresholds, sample sizes, rates, words.

All from Vehtari, Simpson, Gelman, Yao and Gabry (2024), Pareto smoothed importance sampling,
JMLR 25(72). These functions run on the host.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float


# An error of a weighted mean of a tenth of a standard deviation. Also what Vehtari, Gelman, Simpson, Carpenter and
# Buerkner (2021), Bayesian Analysis 16(2), ask of each of four chains (400 in all).
MIN_EFFECTIVE_SAMPLE_SIZE = 100


def pareto_k_threshold(num_draws: int) -> float:
    """Largest k-hat at which estimates from `num_draws` draws are reliable: min(1 - 1/log10(S), 0.7).

    Equation 13 of the paper, where above 0.7 no practical number of draws is enough. It is 0 or
    less for ten draws or fewer, and -inf for one.
    """
    if num_draws < 2:
        return -math.inf
    return min(1 - 1 / math.log10(num_draws), 0.7)


def min_sample_size(pareto_k: float | Float[Any, "*batch"]) -> Float[Any, "*batch"]:
    """Number of draws needed for reliable estimates: 10^(1 / (1 - max(0, k))), equation 11.

    Infinite for k >= 1, where the ratios have no mean; 10 for every k <= 0.
    """
    k = np.asarray(pareto_k, dtype=float)
    distance = 1 - np.clip(k, 0, 1)
    with np.errstate(divide="ignore", over="ignore"):
        return (10.0 ** (1 / distance))[()]


def convergence_rate(pareto_k: float | Float[Any, "*batch"], num_draws: int) -> Float[Any, "*batch"]:
    """How fast the error falls with more draws, relative to independent draws of the target.

    1 for k <= 0 (error like S^(-1/2)), 0 for k >= 1 (more draws do not help). Appendix B of the
    paper; the formula, with L = 2k - 1, is S / (S - 1) + L / expm1(-L log S), which is the one of
    the R package posterior without its cancellation near k = 1/2. At 1/2 the limit is
    S / (S - 1) - 1 / log S; posterior takes 1 - 1 / log S there, and 0 at k = 0 where it is 1.

    Raises:
        ValueError: If `num_draws` is less than 2.
    """
    if num_draws < 2:
        raise ValueError(f"`num_draws` must be at least 2, got {num_draws}.")
    k = np.asarray(pareto_k, dtype=float)
    growth = 2 * np.clip(k, 0, 1) - 1
    log_draws = math.log(num_draws)
    safe = np.where(growth == 0, 1.0, growth)
    ratio = np.where(growth == 0, -1 / log_draws, safe / np.expm1(-safe * log_draws))
    return np.clip(num_draws / (num_draws - 1) + ratio, 0, 1)[()]


def describe_pareto_k(pareto_k: float, num_draws: int, effective_sample_size: float | None = None) -> str:
    """One or two sentences for the user: whether the weights can be trusted, and what to do.

    Estimates are called reliable only if both k-hat and the effective sample size say so.

    Args:
        pareto_k: k-hat.
        num_draws: Number of draws that it was estimated from.
        effective_sample_size: Of the weights; without it nothing is called reliable.
    """
    k = float(pareto_k)
    threshold = pareto_k_threshold(num_draws)
    if math.isnan(k):
        return (
            "Pareto k-hat is not available: no importance ratio is usable, or one is +inf. Check that the "
            "log densities of target and proposal are finite at the draws."
        )
    if k == math.inf:
        return (
            f"Pareto k-hat cannot be estimated: of {num_draws} draws too few have a weight that counts. "
            "Draw more, and if that does not help, use a proposal closer to the target."
        )
    if k == -math.inf:
        return (
            "Pareto k-hat = -inf (the largest weights are all equal): weighted estimates "
            f"{_by_sample_size(effective_sample_size)}"
        )
    if k <= threshold:
        return (
            f"Pareto k-hat = {k:.2f} (at most {threshold:.2f} is good): weighted estimates "
            f"{_by_sample_size(effective_sample_size)}"
        )
    found = f"Pareto k-hat = {k:.2f} is above {threshold:.2f}: weighted estimates are unreliable"
    if k <= 0.7:
        needed = math.ceil(min_sample_size(k))
        return f"{found} with {num_draws} draws. Draw at least {needed}."
    if k < 1:
        return (
            f"{found}, and more draws help little. Use a proposal closer to the target, or take the "
            "draws as a start for MCMC only."
        )
    return (
        f"{found}. At 1 and above the weights have no finite mean, and no number of draws helps. "
        "Use a proposal closer to the target, or take the draws as a start for MCMC only."
    )


def _by_sample_size(effective_sample_size: float | None) -> str:
    """What the effective sample size says of weighted estimates whose k-hat is good."""
    if effective_sample_size is None:
        return "are as reliable as the effective sample size says."
    if effective_sample_size >= MIN_EFFECTIVE_SAMPLE_SIZE:
        return "are reliable."
    return (
        f"are rough, because the effective sample size is {effective_sample_size:.0f} and should be at least "
        f"{MIN_EFFECTIVE_SAMPLE_SIZE}. Draw more, or use a proposal closer to the target."
    )
