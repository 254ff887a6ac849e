"""From a model, or from a fit of it, to draws of a sampler: one call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, PyTree

from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._draws.metric import LowRankMatrix, MatrixKind
from pathfinder._draws.named_draws import named_draws
from pathfinder._fitting.arguments import model_of, seed_and_key
from pathfinder._fitting.fit import fit
from pathfinder._model.model import Model
from pathfinder._results.inference_data import grouped_draws
from pathfinder._results.result import PathfinderResult
from pathfinder._results.warm_start import (
    NUM_WARMUP,
    TARGET_ACCEPTANCE,
    WarmStart,
    log_density_of,
    negative,
    value_and_gradient_of,
)


Library = Literal["blackjax", "numpyro", "nutpie"]
LIBRARIES = ("blackjax", "numpyro")  # in the order in which they are chosen


def sample(
    model: Model | PathfinderResult | Callable[..., Any],
    example: PyTree = None,
    *,
    data: PyTree = None,
    constraints: Mapping[str, Any] | None = None,
    num_chains: int = 4,
    num_warmup: int = NUM_WARMUP,
    num_draws: int = 1000,
    seed: Any = None,
    library: Library | None = None,
    target_acceptance: float = TARGET_ACCEPTANCE,
    kind: MatrixKind = "auto",
    **options: Any,
) -> Any:
    """Draw from a posterior with the No-U-Turn Sampler, from where Pathfinder ends.

    Chains start from draws of the fit, with its covariance as the metric, which stays; the warm-up adapts the step size
    alone. Look at R-hat and effective sample sizes as of any sampler: what no path has found is in no chain either.

    Args:
        model: A fit, or what is fitted first: a `Model`, or a log density of a pytree of parameters.
        example: As of `fit`, if `model` is a function.
        data: Likewise.
        constraints: Likewise.
        num_chains: How many chains.
        num_warmup: Steps in which each chain adapts its step size.
        num_draws: Draws of each chain.
        seed: Seed (or key) of all random numbers; the same seed gives the same draws. Random if None.
        library: Whose sampler runs: "blackjax", "numpyro" or "nutpie". By default the first of the first two that is
            installed. nutpie makes a metric of its own; it is for log densities outside of JAX.
        target_acceptance: Mean acceptance that step sizes are adapted to; nearer to 1 where draws diverge.
        kind: Form of the metric, as of `PathfinderResult.inverse_mass_matrix`.
        **options: Of `fit`, if `model` is no fit.

    Returns:
        ArviZ data as of `PathfinderResult.to_inferencedata`, with the sampler's own numbers in `sample_stats`.

    Raises:
        ModuleNotFoundError: If no such library is installed.
        ValueError: If an argument is out of range, or the log density is no function of JAX.
    """
    _check_counts(num_chains=(num_chains, 1), num_warmup=(num_warmup, 0), num_draws=(num_draws, 1))
    if not 0.0 < target_acceptance < 1.0:
        raise ValueError(f"`target_acceptance` must be between 0 and 1, but {target_acceptance!r} was given.")
    library = _installed(library)
    number, key = seed_and_key(seed)
    if isinstance(model, PathfinderResult):
        given = {"example": example, "data": data, "constraints": constraints, **options}
        unused = [name for name, value in given.items() if value is not None]
        if unused:
            raise ValueError(f"{', '.join(map(repr, unused))} are for a fit, but one was given that has been made.")
        result = model
    else:
        posterior = model_of(model, example, data, constraints)
        _check_density(posterior, library)
        result = fit(posterior, seed=number if number is not None else key, **{"progress": False, **options})
    _check_density(result.model, library)
    own = path_keys(key, np.zeros(1, int), Stream.SAMPLER)[0]
    start = result.warm_start(num_chains, kind, seed=int(own[0]))
    run = _RUNS[library](start, own, num_warmup, num_draws, float(target_acceptance))
    attributes = {
        "inference_library": library,
        "model_name": result.model.name,
        "seed": "" if number is None else str(number),
        "num_warmup": num_warmup,
        "num_warmup_gradients": run.num_warmup_gradients,
        "num_gradients": run.num_warmup_gradients + int(np.sum(run.statistics["n_steps"])),
        "num_gradients_of_fit": result.num_gradients,
        "pareto_k_of_fit": result.pareto_k,
        "metric": _name_of(start.inverse_mass_matrix) if library != "nutpie" else "adapted",
    }
    by_default = {"log_likelihood": None, "posterior_predictive": None}
    named = _named(result.model, run.states, own)
    return grouped_draws(result.model, named, run.statistics, attributes, by_default, {})


class _Run(NamedTuple):
    """What a sampler came to.

    Args:
        states: Its draws on the unconstrained scale.
        statistics: Numbers of every draw, by ArviZ's names.
        num_warmup_gradients: Gradients of the warm-up of all chains.
    """

    states: Float[np.ndarray, "chain draw dim"]
    statistics: dict[str, np.ndarray]
    num_warmup_gradients: int


def _blackjax(start: WarmStart, key: Any, num_warmup: int, num_draws: int, target: float) -> _Run:
    from pathfinder.interop.samplers.blackjax import run_blackjax

    model = start.model
    matrix, step_size = start.inverse_mass_matrix, start.step_size
    key = jax.random.wrap_key_data(jnp.asarray(key))
    return _Run(
        *run_blackjax(model.density, model.data, start.positions, matrix, step_size, key, num_warmup, num_draws, target)
    )


def _numpyro(start: WarmStart, key: Any, num_warmup: int, num_draws: int, target: float) -> _Run:
    from pathfinder.interop.samplers.numpyro import run_numpyro

    matrix = start.inverse_mass_matrix
    array = matrix.to_dense() if isinstance(matrix, LowRankMatrix) else matrix
    potential = negative(log_density_of(start.model))
    key = jax.random.wrap_key_data(jnp.asarray(key))
    return _Run(*run_numpyro(potential, start.positions, array, start.step_size, key, num_warmup, num_draws, target))


def _nutpie(start: WarmStart, key: Any, num_warmup: int, num_draws: int, target: float) -> _Run:
    from pathfinder.interop.samplers.nutpie import run_nutpie

    evaluate = value_and_gradient_of(start.model)
    return _Run(*run_nutpie(start.positions, evaluate, int(key[1]), num_warmup, num_draws, target))


_RUNS: dict[str, Callable[..., _Run]] = {"blackjax": _blackjax, "numpyro": _numpyro, "nutpie": _nutpie}


@dataclasses.dataclass(frozen=True)
class _States:
    """Draws of chains, as `named_draws` takes them."""

    states: Float[np.ndarray, "chain draw dim"]

    def positions(self, chains: Int[np.ndarray, " n"], indices: Int[np.ndarray, " n"]):
        yield np.arange(len(chains)), self.states[chains, indices]


def _named(model: Model, states: Float[np.ndarray, "chain draw dim"], key: Any) -> dict[str, np.ndarray]:
    """Draws by name, generated quantities included."""
    num_chains, num_draws, _ = states.shape
    chains, indices = np.divmod(np.arange(num_chains * num_draws), num_draws)
    own = path_keys(key, np.arange(num_chains), Stream.GENERATED_QUANTITIES)
    named = named_draws(model, _States(states), chains, indices, own)  # type: ignore[arg-type]
    return {name: values.reshape(num_chains, num_draws, *values.shape[1:]) for name, values in named.items()}


def _name_of(matrix: np.ndarray | LowRankMatrix) -> str:
    return "low_rank" if isinstance(matrix, LowRankMatrix) else "dense" if matrix.ndim == 2 else "diagonal"


def _installed(library: str | None) -> Library:
    if library is None:
        for name in LIBRARIES:
            if find_spec(name) is not None:
                return name  # type: ignore[return-value]
        raise ModuleNotFoundError(
            "pathfinder.sample needs BlackJAX or NumPyro; install one with `pip install 'pathfinder-vi[blackjax]'` or "
            "`pip install 'pathfinder-vi[numpyro]'`."
        )
    if library not in _RUNS:
        names = ", ".join(f'"{name}"' for name in _RUNS)
        raise ValueError(f"`library` must be one of {names} or None, but {library!r} was given.")
    if find_spec(library) is None:
        raise ModuleNotFoundError(
            f"{library} is not installed; install it with `pip install 'pathfinder-vi[{library}]'`.", name=library
        )
    return library  # type: ignore[return-value]


def _check_density(model: Model, library: str) -> None:
    if library != "nutpie":
        log_density_of(model)


def _check_counts(**counts: tuple[Any, int]) -> None:
    for name, (value, least) in counts.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"`{name}` must be a whole number of at least {least}, but {value!r} was given.")
