"""How far the draws of a fit can be trusted, and what to do if not."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import psis
from pathfinder._chains.budget import ChainBudget
from pathfinder._chains.chain_draws import ENDS, ChainDraws
from pathfinder._chains.mixing import LARGEST_NESTED_RHAT
from pathfinder._chains.virial import Virial
from pathfinder._importance.pool import Pool
from pathfinder._settings import Settings
from pathfinder._variables import Variable


# The standard error of the mean of 100 draws. A drift that chance does not explain is a bias, and should be no larger.
LARGEST_DRIFT = 0.1
# Steps are adapted towards an acceptance of 0.8. Where that failed so badly, steps are too long for what chains have
# come to, and a part of the posterior with shorter scales, which they hardly enter, may be missing without other signs.
LEAST_ACCEPTANCE = 0.3
# Of the mean of every parameter, as it is asked of weighted draws: an error of a tenth of a standard deviation, and the
# hundred that Vehtari et al. (2021) ask of each of four long chains, so that the size itself can be believed.
LEAST_SIZE = float(psis.MIN_EFFECTIVE_SAMPLE_SIZE)
# Of every chain. One that has not left where it began still counts as one draw, so that chains which hardly moved in a
# parameter have as many effective draws of it as they are many, and agree because their starts did: that is how chains
# fail in the neck of a funnel.
LEAST_SIZE_OF_CHAIN = 2.0

_CLOSER = "look for a parameterization in which the posterior is closer to a normal"
_MORE_OF = {
    "budget": "Allow more gradients (max_chain_gradients)",
    "interrupted": "Give the fit more time",
    "mixed": "Run more chains (chains=250)",
}


class Verdict(NamedTuple):
    """Whether estimates from draws are reliable.

    Args:
        is_reliable: In a word.
        words: In a sentence or some: why, and what to do if not.
    """

    is_reliable: bool
    words: str


def weights_verdict(pool: Pool, names: Sequence[str], power: float = 1.0) -> Verdict:
    """Of draws by the importance weights of a pool: by k-hat and the effective sample sizes of means and of tails.

    Args:
        pool: The pool.
        names: Of the unconstrained parameters.
        power: The power of the weights that they were chosen by.
    """
    if np.isnan(pool.pareto_k):
        return Verdict(False, "The draws have no importance weights, so that nothing is known of how good they are.")
    size, of_what = _least_size(pool, names)
    words = psis.describe_pareto_k(pool.pareto_k, len(pool), size)
    if of_what and pool.pareto_k <= psis.pareto_k_threshold(len(pool)):
        words += f" It is that of {of_what}."
    if power < 1.0:
        words += (
            f" Draws are chosen by the weights to the power {power:.2g}, which leaves enough of them effective: they "
            "are nearer to the posterior than by the weights themselves, but biased towards the approximation."
        )
    return Verdict(pool.is_reliable, words)


def _least_size(pool: Pool, names: Sequence[str]) -> tuple[float, str]:
    """The effective sample size to name: that of the weights, unless they have enough and something else has not."""
    if pool.effective_sample_size >= LEAST_SIZE:
        if pool.least_effective_sample_size < LEAST_SIZE:
            size, name = _least(pool.sizes_by_coordinate, names)
            return size, f"the mean of {name}"
        if pool.least_tail_size < LEAST_SIZE:
            size, name = _least(pool.tail_sizes_by_coordinate, names)
            return size, f"the lower or upper 5 % of {name}, where the approximation hardly reaches"
    return pool.effective_sample_size, ""


def chains_verdict(chains: ChainDraws, names: Sequence[str]) -> Verdict:
    """Of states of short chains: by whether superchains agree, what the states are worth, drift and acceptance.

    Args:
        chains: The chains.
        names: Of the unconstrained parameters.
    """
    of_all, every = chains.mixing_of_all, [*names, "the log density"]
    rhat, worst = _largest(of_all.nested_rhat, every)
    drift, moving = _largest(of_all.drift, every)
    spread_drift, spreading = _largest(of_all.spread_drift, every)
    sizes = chains.mixing.effective_sample_size
    fewest, most = int(np.argmin(sizes)), int(np.argmax(sizes))
    found = (
        f"the largest nested R-hat is {rhat:.3g} ({worst}), and effective sample sizes are from {sizes[fewest]:.0f} "
        f"({names[fewest]}) to {sizes[most]:.0f} ({names[most]})"
    )
    least = max(LEAST_SIZE, LEAST_SIZE_OF_CHAIN * chains.num_chains)
    # NaN, of states that are not finite, is no agreement.
    faults = []
    if not rhat <= LARGEST_NESTED_RHAT:
        faults.append(f"superchains disagree, as nested R-hat should be at most {LARGEST_NESTED_RHAT}")
    if not sizes[fewest] >= least:
        faults.append(f"the effective sample size of {names[fewest]} should be at least {least:.0f}")
    if not drift <= LARGEST_DRIFT:
        faults.append(f"the mean of {moving} still moved by {drift:.2g} standard deviations beyond noise")
    if not spread_drift <= LARGEST_DRIFT:
        faults.append(
            f"the spread of {spreading} still changed by {spread_drift:.2g} standard deviations beyond noise, "
            "as it does where a posterior is improper"
        )
    if chains.virial.is_short.any():
        faults.append(_short(chains.virial, names))
    if not chains.acceptance > LEAST_ACCEPTANCE:
        faults.append(f"only {chains.acceptance:.0%} of the proposals were accepted")
    if not faults:
        return Verdict(True, f"Chains agree: {found}, so that estimates are reliable.")
    return Verdict(False, f"Chains are unreliable: {found}; {_listed(faults)}. {_advice(chains)}")


def chains_in_words(
    chains: ChainDraws | None, budget: ChainBudget | None, settings: Settings, *, interrupted: bool
) -> str:
    """What chains did, and why they ended; or why there are none, if they were wanted; or nothing.

    Args:
        chains: The chains, if some ran.
        budget: What they might take; None if none were needed or wanted.
        settings: Of the fit.
        interrupted: Whether it was ended early.
    """
    if chains is not None:
        return (
            f"{chains.num_chains} chains in {chains.num_superchains} superchains: {chains.num_iterations} iterations, "
            f"{chains.num_gradients} gradients, acceptance {chains.acceptance:.2f}; ended because {ENDS[chains.ended]}"
            f"{_why_fewer(budget) if chains.ended == 'budget' else ''}."
        )
    if budget is not None and not budget.is_enough:
        return (
            f"No chains ran: of a log density that takes about {budget.operations:.1g} operations they may take "
            f"{budget.max_gradients} gradients by default, too few for {settings.num_chains} of them to begin. Ask for "
            "more with max_chain_gradients, or for chains in any case with chains=True."
        )
    if budget is None and (settings.chains == "auto" or not settings.chains):
        return ""
    if interrupted:
        when = "" if budget is None else " before they had come to enough states"
        return f"No chains ran, because the fit was ended early{when}."
    most = settings.max_chain_gradients if budget is None else budget.max_gradients
    return f"No chains ran, because max_chain_gradients={most} is too few for {settings.num_chains} of them."


def _why_fewer(budget: ChainBudget | None) -> str:
    if budget is None or not budget.operations:
        return ""
    return (
        f" (by default {budget.max_gradients} of a log density that takes about {budget.operations:.1g} operations; "
        "max_chain_gradients allows more)"
    )


def unconstrained_names(parameters: Sequence[Variable], dim: int) -> list[str]:
    """What to call the numbers of an unconstrained vector.

    Where it has as many as the parameters have, each number is one of theirs; those of arrays with several axes may be
    in any order.
    """
    if sum(variable.size for variable in parameters) != dim:
        return [f"unconstrained parameter {number}" for number in range(dim)]
    names: list[str] = []
    for variable in parameters:
        is_one_row = sum(length > 1 for length in variable.shape) < 2
        names += variable.columns("bracket") if is_one_row else [f"an element of {variable.name}"] * variable.size
    return names


def _least(values: np.ndarray, names: Sequence[str]) -> tuple[float, str]:
    """The least value, and of what it is."""
    place = int(np.argmin(values))
    return float(values[place]), names[place]


def _largest(values: np.ndarray, names: Sequence[str]) -> tuple[float, str]:
    """The largest value, or NaN if there is one, and of what it is."""
    place = int(np.argmax(values))
    return float(values[place]), names[place]


def _short(virial: Virial, names: Sequence[str]) -> str:
    """That states do not reach as far as the density in the parameter that tells it most clearly, or in all."""
    with np.errstate(divide="ignore"):
        clearest = int(np.argmax(np.where(virial.is_short, (1.0 - virial.mean) / virial.standard_error, -np.inf)))
    mean, error = virial.mean[clearest], virial.standard_error[clearest]
    of_what = f"of {names[clearest]}" if clearest < len(names) else "in all parameters together"
    return (
        f"parts of the posterior are missing, as the virial {of_what} is {mean:.2g} (s.e. {error:.1g}), but 1 where "
        "states reach everywhere"
    )


def _listed(faults: Sequence[str]) -> str:
    return faults[0] if len(faults) == 1 else f"{', '.join(faults[:-1])} and {faults[-1]}"


def _advice(chains: ChainDraws) -> str:
    if chains.ended == "apart":
        return (
            "More gradients would not help: there may be several modes that no trajectory crosses, and the shares of "
            f"these are unknown. Leave one of those that say the same, as by an order of the parameters, {_CLOSER}, or "
            "see where more paths lead (num_paths)."
        )
    return (
        f"{_MORE_OF[chains.ended]}, or {_CLOSER}; if superchains keep disagreeing, there may be several modes, and the "
        "shares of these are unknown."
    )
