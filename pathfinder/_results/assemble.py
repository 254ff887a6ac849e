"""Put together the result of one fit from the outcomes of its lanes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Float

import psis
from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import rows
from pathfinder._arrays.streams import Key, fit_key, host_generator
from pathfinder._chains.budget import ChainBudget
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._importance.fit_pool import FitPool
from pathfinder._importance.pool import NoFiniteDrawError, Pool
from pathfinder._model.model import Model
from pathfinder._paths.outcomes import PathOutcomes
from pathfinder._results.path_result import PathfinderError, PathResult
from pathfinder._results.result import PathfinderResult
from pathfinder._settings import Settings
from pathfinder._status import Status


def assemble(
    model: Model,
    settings: Settings,
    seed: int | None,
    key: Key,
    outcomes: PathOutcomes,
    weighted: FitPool,
    chains: ChainDraws | None,
    chain_budget: ChainBudget | None,
    seconds: Mapping[str, float],
    first_path: int = 0,
) -> PathfinderResult:
    """The result of one fit.

    Args:
        model: The model, with the data of this fit.
        settings: Options.
        seed: Seed, if there was one.
        key: Key that all random numbers come from.
        outcomes: Outcomes of the lanes of this fit.
        weighted: Its weighted draws.
        chains: The states of its chains, if some ran; then the draws are these.
        chain_budget: What they might take; None if none were needed or wanted.
        seconds: Wall time by stage.
        first_path: Number of the first path among the random streams.
    """
    pool, source, refinement, cost = weighted
    if chains is None:
        is_resampled, chosen = choose_rows(pool, settings, fit_key(key, first_path))
    else:
        is_resampled, chosen = True, chains.rows(settings.num_psis_draws)
    return PathfinderResult(
        model=model,
        settings=settings,
        seed=seed,
        paths=_path_results(outcomes, pool, 0 if refinement else densities_for_draws(settings)),
        pool=pool,
        rows=chosen,
        is_resampled=is_resampled,
        seconds=seconds,
        interrupted=outcomes.interrupted,
        key=key,
        source=source,
        refinement=refinement,
        refinement_cost=cost,
        chains=chains,
        uses_chains=chains is not None,
        chain_budget=chain_budget,
        first_path=first_path,
    )


def require_paths(outcomes: PathOutcomes, rejection: Callable[[np.ndarray], str] | None = None) -> None:
    """Check that a fit has something to draw from.

    Args:
        outcomes: Outcomes of its lanes.
        rejection: What the model says against a point, as `Model.rejection_fn`.

    Raises:
        PathfinderError: If no path succeeded.
    """
    if np.any(outcomes.best_iteration >= 0):
        return
    statuses = [Status(status) for status in outcomes.status]
    reasons = [
        _no_start(outcomes, path, rejection) if status == Status.INITIALIZATION_FAILED else status.message
        for path, status in enumerate(statuses)
    ]
    lines = [f"  path {number}: {reason}" for number, reason in enumerate(reasons)]
    raise PathfinderError("No path produced an approximation.\n" + "\n".join(lines), statuses, reasons)


def _no_start(outcomes: PathOutcomes, path: int, rejection: Callable[[np.ndarray], str] | None) -> str:
    """Why a path found no point to start from, with what there is to say about the last one that it tried."""
    log_density = float(outcomes.tries.log_density[path])
    what = "gradient is not finite" if np.isfinite(log_density) else f"log density is {log_density}"
    text = f"{Status.INITIALIZATION_FAILED.message} At the last point tried the {what}."
    said = rejection(np.asarray(outcomes.tries.position[path])) if rejection else ""
    return f"{text} {said}" if said else text


@contextmanager
def finite_draws_required(outcomes: PathOutcomes):
    """Turn a pool without any finite density into an error about the fit.

    Raises:
        PathfinderError: Instead of `NoFiniteDrawError`.
    """
    try:
        yield
    except NoFiniteDrawError as error:
        raise PathfinderError(str(error), [Status(status) for status in outcomes.status]) from error


def choose_rows(pool: Pool, settings: Settings, key: Key) -> tuple[bool, np.ndarray]:
    """Whether draws are resampled, and the rows of the pool to return."""
    if not settings.calculate_lp:
        return False, np.arange(len(pool))
    rng = host_generator(key, "resample")
    method: Any = settings.resample
    if settings.resamples_paths:
        return True, psis.resample(pool.choice_log_weights, settings.num_psis_draws, method=method, rng=rng)
    # As many as were drawn, so that without replacement all would be chosen, whatever their weights.
    method = "systematic" if method == "without_replacement" else method
    return True, psis.resample(pool.choice_log_weights, len(pool), method=method, rng=rng)


def densities_for_draws(settings: Settings) -> int:
    """Densities evaluated for the draws of one path, apart from those for ELBOs."""
    if not settings.calculate_lp:
        return 0
    return settings.num_draws - (min(settings.num_elbo_draws, settings.num_draws) if settings.reuse_elbo_draws else 0)


def is_constant(outcomes: PathOutcomes, log_p: Float[np.ndarray, "..."]) -> bool:
    """Whether no path could start, and the density has one value at all points where it was evaluated.

    Args:
        outcomes: Outcomes of the lanes of one fit.
        log_p: Log densities of its draws; NaN where there is none.
    """
    if np.any(outcomes.status != Status.STATIONARY_START):
        return False
    values = np.concatenate([np.asarray(outcomes.tries.log_density, float), log_p[np.isfinite(log_p)]])
    return len(values) > 1 and np.ptp(values) == 0


def _path_results(outcomes: PathOutcomes, pool: Pool, num_densities_for_draws: int) -> tuple[PathResult, ...]:
    num_paths = len(outcomes.status)
    weights = np.bincount(pool.paths, weights=np.exp(pool.log_weights), minlength=num_paths)
    approximations = on_host(outcomes.approximations)
    results = []
    constant = is_constant(outcomes, pool.log_p)
    if constant:
        warnings.warn(Status.CONSTANT_DENSITY.message, stacklevel=2)
    for path in range(num_paths):
        status = Status.CONSTANT_DENSITY if constant else Status(outcomes.status[path])
        own = rows(approximations, path)
        results.append(
            PathResult(
                status=status,
                elbo=float(outcomes.elbo[path]),
                elbo_standard_error=float(outcomes.elbo_standard_error[path]),
                best_iteration=int(outcomes.best_iteration[path]),
                num_iterations=int(outcomes.num_iterations[path]),
                num_gradients=int(outcomes.num_gradients[path]),
                num_densities=int(outcomes.num_elbo_draws[path]) + (num_densities_for_draws if status.succeeded else 0),
                pareto_k=float(pool.pareto_k_by_path[path]),
                weight=float(weights[path]),
                initial_log_density=float(outcomes.tries.log_density[path]),
                initial_position=np.asarray(outcomes.tries.position[path]),
                initial_gradient=np.asarray(outcomes.tries.gradient[path]),
                num_tries=int(outcomes.tries.num_tries[path]),
                approximation=own if status.succeeded else None,
                iterations=outcomes.iterations[path],
                trajectory=None if outcomes.trajectories is None else outcomes.trajectories[path],
            )
        )
    return tuple(results)
