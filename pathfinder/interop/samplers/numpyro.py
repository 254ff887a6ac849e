"""Warm starts of NumPyro's NUTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float


def numpyro_start(
    positions: Float[np.ndarray, "chain dim"],
    matrix: Float[np.ndarray, "*rows dim"],
    step_size: float,
    potential: Callable[[Any], Any],
) -> dict[str, dict[str, Any]]:
    """Arguments for `NUTS` of a potential of unconstrained vectors, and for `MCMC.run`.

    Args:
        positions: Where chains start.
        matrix: The inverse mass matrix, or its diagonal.
        step_size: The first.
        potential: Minus the log density.
    """
    kernel = {"potential_fn": potential, "inverse_mass_matrix": matrix.copy(), "dense_mass": matrix.ndim == 2}
    return {
        "kernel": kernel | {"adapt_mass_matrix": False, "step_size": step_size},
        "run": {"init_params": positions.copy() if len(positions) > 1 else positions[0].copy()},
    }


def numpyro_model_start(
    positions: Float[np.ndarray, "chain dim"],
    matrix: Float[np.ndarray, "*rows dim"],
    step_size: float,
    sites: Sequence[tuple[str, tuple[int, ...]]],
    values: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """Arguments for `NUTS` of a NumPyro model, and for `MCMC.run`.

    A matrix goes into a dictionary whose key says the order of the sites. NumPyro takes an array to be in the order of
    their sorted names.

    Args:
        positions: Where chains start.
        matrix: The inverse mass matrix, or its diagonal.
        step_size: The first.
        sites: Names of the sites and shapes of their unconstrained values, in the order of the vectors.
        values: Values of the sites where the first chain starts; NumPyro looks for a start of its own even where it is
            given those of the chains, and does not always find one.
    """
    from numpyro.infer import init_to_value

    names = tuple(name for name, _ in sites)
    ends = np.cumsum([int(np.prod(shape, dtype=np.int64)) for _, shape in sites])[:-1]
    parts = np.split(positions, ends, axis=1)
    starts = {name: part.reshape(-1, *shape) for (name, shape), part in zip(sites, parts, strict=True)}
    if len(positions) == 1:
        starts = {name: part[0] for name, part in starts.items()}
    if matrix.ndim == 2:
        dense: Any = [names]
        blocks = {names: matrix.copy()}
    else:
        dense = False
        blocks = {(name,): part.copy() for name, part in zip(names, np.split(matrix, ends), strict=True)}
    kernel = {"inverse_mass_matrix": blocks, "dense_mass": dense, "adapt_mass_matrix": False, "step_size": step_size}
    return {"kernel": kernel | {"init_strategy": init_to_value(values=dict(values))}, "run": {"init_params": starts}}


_FIELDS = {
    "lp": "potential_energy",
    "acceptance_rate": "accept_prob",
    "diverging": "diverging",
    "energy": "energy",
    "n_steps": "num_steps",
    "step_size": "adapt_state.step_size",
}


def run_numpyro(
    potential: Callable[[Any], Any],
    positions: Float[np.ndarray, "chain dim"],
    matrix: Float[np.ndarray, "*rows dim"],
    step_size: float,
    key: Any,
    num_warmup: int,
    num_draws: int,
    target_acceptance: float,
) -> tuple[Float[np.ndarray, "chain draw dim"], dict[str, np.ndarray], int]:
    """Run NUTS with a fixed metric, after a warm-up that adapts the step size of each chain alone.

    Args:
        potential: Minus the log density of a position.
        positions: Where chains start.
        matrix: The inverse mass matrix, or its diagonal.
        step_size: The first.
        key: A key of JAX.
        num_warmup: Steps of warm-up.
        num_draws: Steps that are kept, of each chain.
        target_acceptance: Mean acceptance that the step size is adapted to.

    Returns:
        The positions, numbers of every draw by ArviZ's names, and how many gradients the warm-up took.
    """
    from numpyro.infer import MCMC, NUTS

    start = numpyro_start(positions, matrix, step_size, potential)
    mcmc = MCMC(
        NUTS(**start["kernel"], target_accept_prob=target_acceptance),
        num_warmup=num_warmup,
        num_samples=num_draws,
        num_chains=len(positions),
        chain_method="vectorized",
        progress_bar=False,
    )
    num_gradients = 0
    if num_warmup:
        mcmc.warmup(key, **start["run"], collect_warmup=True, extra_fields=("num_steps",))
        num_gradients = int(np.sum(mcmc.get_extra_fields()["num_steps"]))
    mcmc.run(key, **start["run"], extra_fields=tuple(_FIELDS.values()))
    found = mcmc.get_extra_fields(group_by_chain=True)
    statistics = {name: np.asarray(found[field]) for name, field in _FIELDS.items()}
    return (
        np.asarray(mcmc.get_samples(group_by_chain=True)),
        statistics | {"lp": -statistics["lp"], "tree_depth": np.log2(statistics["n_steps"]).astype(int) + 1},
        num_gradients,
    )
