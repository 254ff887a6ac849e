"""Warm starts of nutpie, which takes positions; a metric it makes itself, of the gradients that it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import count
from typing import Any

import numpy as np
from jaxtyping import Float


def nutpie_model(
    positions: Float[np.ndarray, "chain dim"],
    value_and_gradient: Callable[[Float[np.ndarray, " dim"]], tuple[Any, Any]],
    named: Callable[[Float[np.ndarray, " dim"]], Mapping[str, Any]],
    shapes: Mapping[str, tuple[int, ...]],
    dims: Mapping[str, Sequence[str]],
    coords: Mapping[str, Any],
) -> Any:
    """A model for `nutpie.sample`, whose chains start at given positions.

    Args:
        positions: Where chains start; more chains than there are positions begin with the first again.
        value_and_gradient: The log density of an unconstrained vector, and its gradient.
        named: The variables of such a vector by name.
        shapes: Their shapes.
        dims: Names of their axes, where these have some.
        coords: Coordinate values by names of axes.
    """
    from_pyfunc = import_module("nutpie.compiled_pyfunc").from_pyfunc

    starts = np.array(positions, np.float64)
    started = count()

    def density():
        def evaluate(position, **_):
            value, gradient = value_and_gradient(position)
            return float(value), np.asarray(gradient, np.float64)

        return evaluate

    def expand(*_):
        def variables(position, **_):
            found = named(position)
            return {name: np.asarray(found[name], np.float64).reshape(shape) for name, shape in shapes.items()}

        return variables

    def start(_):
        return starts[next(started) % len(starts)].copy()

    return from_pyfunc(
        positions.shape[1],
        density,
        expand,
        [np.dtype("float64")] * len(shapes),
        list(shapes.values()),
        list(shapes),
        dims={name: tuple(axes) for name, axes in dims.items()},
        coords=_all_coords(shapes, dims, coords),
        make_initial_point_fn=start,
    )


def _all_coords(
    shapes: Mapping[str, tuple[int, ...]], dims: Mapping[str, Sequence[str]], coords: Mapping[str, Any]
) -> dict[str, Any]:
    """The coordinates of all axes that have names: those that have none are numbered."""
    sizes = {axis: size for name, axes in dims.items() for axis, size in zip(axes, shapes[name], strict=True)}
    return {axis: _listed(np.asarray(coords.get(axis, np.arange(size)))) for axis, size in sizes.items()}


def _listed(values: np.ndarray) -> Any:
    """Numbers as an array, words as a list, which is how nutpie takes them."""
    return values if values.dtype.kind in "iuf" else [str(value) for value in values]


_POSITION = "position"
_STATISTICS = {
    "lp": "logp",
    "acceptance_rate": "mean_tree_accept",
    "diverging": "diverging",
    "energy": "energy",
    "n_steps": "n_steps",
    "tree_depth": "depth",
    "step_size": "step_size",
}


def run_nutpie(
    positions: Float[np.ndarray, "chain dim"],
    value_and_gradient: Callable[[Float[np.ndarray, " dim"]], tuple[Any, Any]],
    seed: int,
    num_warmup: int,
    num_draws: int,
    target_acceptance: float,
) -> tuple[Float[np.ndarray, "chain draw dim"], dict[str, np.ndarray], int]:
    """Run nutpie, chain after chain, with the metric that it makes of gradients.

    Args:
        positions: Where chains start.
        value_and_gradient: The log density of an unconstrained vector, and its gradient.
        seed: Of its random numbers.
        num_warmup: Steps of warm-up.
        num_draws: Steps that are kept, of each chain.
        target_acceptance: Mean acceptance that the step size is adapted to.

    Returns:
        The positions, numbers of every draw by ArviZ's names, and how many gradients the warm-up took.
    """
    nutpie: Any = import_module("nutpie")
    shapes = {_POSITION: (positions.shape[1],)}
    model = nutpie_model(positions, value_and_gradient, lambda position: {_POSITION: position}, shapes, {}, {})
    found = nutpie.sample(
        model,
        chains=len(positions),
        cores=1,  # chains ask for their starts in order
        tune=num_warmup,
        draws=num_draws,
        seed=seed,
        target_accept=target_acceptance,
        low_rank_modified_mass_matrix=True,
        progress_bar=False,
    )
    statistics = {name: np.asarray(found.sample_stats[own]) for name, own in _STATISTICS.items()}
    taken = int(found.warmup_sample_stats["n_steps"].sum())
    return np.asarray(found.posterior[_POSITION]), statistics, taken
