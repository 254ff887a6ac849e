"""Leave-one-out cross-validation of a fit, as ArviZ gives it."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

import psis
from pathfinder._draws.observed_draws import of_observed
from pathfinder._draws.returned import ChainRows, PoolRows, ResultKeys
from pathfinder._model.model import Model
from pathfinder._variables import Variable


MOST_NUMBERS = 2**24  # ratios that are smoothed at once
MOST_FOR_EFFICIENCY = 50  # observations that the relative efficiency of chains is estimated from
FEWEST_ITERATIONS = 4  # of chains, to estimate it at all


class LeaveOneOut(NamedTuple):
    """Estimates of what each observation has as its log predictive density given the others.

    Args:
        elpd: Expected log predictive density of each observation.
        log_predictive: The same with the observation among the data.
        pareto_k: k-hat of the weights that leave it out.
        num_draws: How many draws there are.
    """

    elpd: Float[np.ndarray, "*observation"]
    log_predictive: Float[np.ndarray, "*observation"]
    pareto_k: Float[np.ndarray, "*observation"]
    num_draws: int

    @property
    def threshold(self) -> float:
        """What k-hat should be below."""
        return psis.pareto_k_threshold(self.num_draws)


def leave_one_out(whole: Any, returned: PoolRows | ChainRows, keys: ResultKeys, var_name: str | None) -> Any:
    """ArviZ's `ELPDData` of a fit.

    Args:
        whole: The `PathfinderResult` with all draws of its pool, or all states of its chains.
        returned: What these are.
        keys: Its random numbers.
        var_name: The variable with the pointwise log likelihood; None if there is only one.

    Raises:
        ValueError: If there is none of that name, or the draws have no weights.

    Warns:
        UserWarning: If k-hat of an observation is too large.
    """
    variable, is_generated = _log_likelihood(whole.model, var_name)
    if not whole.uses_chains and not whole.settings.calculate_lp:
        raise ValueError("Leaving observations out needs the log density at the draws; fit with calculate_lp=True.")
    values = whole.draws if is_generated else of_observed(whole, returned, keys, "log_likelihood")
    log_likelihood = np.asarray(values[variable.name], np.float64)
    if whole.uses_chains:
        chains = np.reshape(log_likelihood, (-1, whole.chains.num_chains, *variable.shape))
        found = estimated(log_likelihood, None, _relative_efficiency(np.moveaxis(chains, 1, 0)))
    else:
        found = estimated(log_likelihood, whole.pool.log_p - whole.pool.log_proposal)
    _warn(found, whole)
    return _elpd_data(found, variable, whole)


def estimated(
    log_likelihood: Float[np.ndarray, "draw *observation"],
    log_ratios: Float[np.ndarray, " draw"] | None,
    reff: float = 1.0,
) -> LeaveOneOut:
    """Leave each observation out by importance weights (Vehtari et al. 2017; Magnusson et al. 2019 for approximations).

    Args:
        log_likelihood: Of each observation at each draw.
        log_ratios: Log density of the posterior minus that of what the draws come from, up to a constant; None if they
            come from the posterior. Draws without a finite one have no weight.
        reff: Relative efficiency of the draws.

    Raises:
        ValueError: If a log likelihood is not finite at a draw that has weight.
    """
    num_draws, *shape = log_likelihood.shape
    ratios = np.zeros(num_draws) if log_ratios is None else np.where(np.isfinite(log_ratios), log_ratios, -np.inf)
    usable = ratios > -np.inf
    flat = log_likelihood.reshape(num_draws, -1).T
    bad = ~np.isfinite(flat[:, usable])
    if bad.any():
        raise ValueError(
            f"The log likelihood of {int(bad.any(axis=1).sum())} of {len(flat)} observations is not finite at "
            f"{int(bad.any(axis=0).sum())} of {num_draws} draws."
        )
    flat = np.where(usable, flat, 0.0)
    log_weights = np.asarray(psis.smooth_log_weights(ratios, reff=reff).log_weights)
    elpd, pareto_k = np.empty(len(flat)), np.empty(len(flat))
    size = max(1, MOST_NUMBERS // num_draws)
    for begin in range(0, len(flat), size):
        own = flat[begin : begin + size]
        smoothed = psis.smooth_log_weights(ratios - own, reff=reff)
        elpd[begin : begin + size] = np.logaddexp.reduce(smoothed.log_weights + own, axis=1)
        pareto_k[begin : begin + size] = smoothed.pareto_k
    log_predictive = np.logaddexp.reduce(log_weights + flat, axis=1)
    return LeaveOneOut(elpd.reshape(shape), log_predictive.reshape(shape), pareto_k.reshape(shape), num_draws)


def _log_likelihood(model: Model, var_name: str | None) -> tuple[Variable, bool]:
    """The variable with the pointwise log likelihood, and whether it is a generated quantity."""
    generated = {variable.name: variable for variable in model.variables if variable.block == "generated quantities"}
    observed = {} if model.log_likelihood_fn is None else {own.name: own for own in model.observed_variables}
    chosen = [var_name] if var_name is not None else list(observed) or [name for name in generated if name == "log_lik"]
    if len(chosen) == 1 and chosen[0] in observed:
        return observed[chosen[0]], False
    if len(chosen) == 1 and chosen[0] in generated:
        return generated[chosen[0]], True
    if len(chosen) > 1:
        raise ValueError(f"There are several observed variables; choose one with `var_name`: {', '.join(chosen)}.")
    if chosen:
        known = ", ".join(map(repr, [*observed, *generated])) or "none"
        raise ValueError(f"`var_name` is {var_name!r}, but observed variables and generated quantities are {known}.")
    raise ValueError(
        "The model has no pointwise log likelihood. Give a generated quantity `log_lik` with that of every "
        "observation, or name it by `var_name`."
    )


def _relative_efficiency(log_likelihood: Float[np.ndarray, "chain iteration *observation"]) -> float:
    """Of the likelihoods of some observations, on average."""
    chains, iterations = log_likelihood.shape[:2]
    if iterations < FEWEST_ITERATIONS:
        return 1.0
    flat = log_likelihood.reshape(chains, iterations, -1)
    chosen = np.unique(np.linspace(0, flat.shape[2] - 1, MOST_FOR_EFFICIENCY).astype(int))
    found = [psis.relative_efficiency(np.exp(flat[..., i] - flat[..., i].max())) for i in chosen]
    return float(np.mean(found))


def _warn(found: LeaveOneOut, result: Any) -> None:
    count = int(np.sum(found.pareto_k > found.threshold))
    if not count:
        return
    of_fit = "" if result.uses_chains else f" That of the fit itself, which all inherit, is {result.pareto_k:.2f}."
    warnings.warn(
        f"k-hat of {count} of {found.pareto_k.size} observations is above {found.threshold:.2f}: leaving these out by "
        f"weights is unreliable.{of_fit} More draws (`num_draws`) help where it is little above.",
        stacklevel=4,
    )


def _elpd_data(found: LeaveOneOut, variable: Variable, result: Any) -> Any:
    """The estimates in ArviZ's form, that of the version which is installed."""
    import arviz
    import xarray

    names = variable.dims or tuple(f"{variable.name}_dim_{axis}" for axis in range(len(variable.shape)))
    coords = {
        name: np.asarray(result.model.coords[name]) if name in result.model.coords else np.arange(size)
        for name, size in zip(names, variable.shape, strict=True)
    }
    elpd_i = xarray.DataArray(found.elpd, coords, names, name="elpd_i")
    pareto_k = xarray.DataArray(found.pareto_k, coords, names, name="pareto_k")
    elpd = float(found.elpd.sum())
    common: dict[str, Any] = {
        "se": float(np.sqrt(found.elpd.size * found.elpd.var())),
        "n_samples": found.num_draws,
        "n_data_points": found.elpd.size,
        "warning": bool(np.any(found.pareto_k > found.threshold)),
        "scale": "log",
        "good_k": found.threshold,
        "pareto_k": pareto_k,
    }
    p = float(found.log_predictive.sum()) - elpd
    if int(arviz.__version__.split(".")[0]) < 1:
        first = {"elpd_loo": elpd, "se": common["se"], "p_loo": p}  # printed by their places
        return arviz.ELPDData(first | common | {"loo_i": elpd_i.rename("loo_i")})
    own = {"elpd": elpd, "p": p, "elpd_i": elpd_i, "approx_posterior": not result.uses_chains}
    # Later versions have a class for each kind of estimate, which says itself what it is.
    of_kind = getattr(arviz, "ELPDDataLOO", None) or partial(arviz.ELPDData, "loo")
    return of_kind(**own, **common)
