"""Where paths start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, PyTree

from pathfinder._close_names import did_you_mean
from pathfinder._model.model import Model
from pathfinder._optimizer.start import MAX_INIT_TRIES


DEFAULT_RADIUS = 2.0
LIBRARY_START, LIBRARY_RADIUS = "pymc", 1.0  # as its own samplers jitter their starts


class InitialPoints(NamedTuple):
    """Boxes on the unconstrained scale within which paths start.

    Args:
        center: Middle of the box of each path.
        radius: Half its width in each coordinate; 0 where the coordinate is given.
    """

    center: Float[np.ndarray, "path dim"]
    radius: Float[np.ndarray, "path dim"]

    @property
    def max_tries(self) -> np.ndarray:
        """Points to try per path: one if nothing is random, else 100 as in Stan."""
        return np.where((self.radius > 0).any(axis=1), MAX_INIT_TRIES, 1).astype(np.int32)


def initial_points(
    model: Model, init: PyTree | InitialPoints | None, num_paths: int, radius: float | None
) -> InitialPoints:
    """Boxes from what the user gave.

    Args:
        model: The model.
        init: None for the origin; parameters as a pytree, for all paths; a list or tuple of `num_paths` of them, one
            per path; or a pytree with a leading axis of length `num_paths` on every leaf; or "pymc" for the initial
            point of a PyMC model.
        num_paths: Number of paths.
        radius: Half the width of the box; None is 2 without `init`, 1 around PyMC's point, and 0 with others.

    Raises:
        ValueError: If `init` fits none of these forms, or its values violate constraints.
    """
    shape = (num_paths, model.dim)
    if isinstance(init, InitialPoints):
        if init.center.shape != shape or init.radius.shape != shape:
            raise ValueError(f"`init` must have shape {shape}, but has {init.center.shape} and {init.radius.shape}.")
        return init
    if init is None:
        center = np.zeros(shape, model.dtype)
    elif isinstance(init, str):
        center = np.broadcast_to(_library_start(model, init), shape)
    else:
        points = _points(model, init, num_paths)
        center = np.stack([_unconstrained(model, point, path) for path, point in enumerate(points)])
    if radius is None:
        radius = DEFAULT_RADIUS if init is None else LIBRARY_RADIUS if isinstance(init, str) else 0.0
    return InitialPoints(center, np.full(shape, radius, model.dtype))


def _library_start(model: Model, init: str) -> np.ndarray:
    if init != LIBRARY_START:
        raise ValueError(f"`init` must be parameters, {LIBRARY_START!r} or None, but {init!r} was given.")
    if model.start_fn is None:
        raise ValueError(f"`init` is {init!r}, but '{model.name}' is no PyMC model.")
    return model.start_fn().astype(model.dtype)


def _points(model: Model, init: PyTree, num_paths: int) -> list[PyTree]:
    """One pytree of parameters per path."""
    shapes = _shapes(model, init)
    expected = {variable.name: variable.shape for variable in model.parameters}
    if shapes == expected:
        return [init] * num_paths
    if isinstance(init, list | tuple) and _shapes(model, init[0] if init else None) == expected:
        if len(init) != num_paths:
            raise ValueError(f"`init` has {len(init)} points for {num_paths} paths; give one, or one per path.")
        return list(init)
    if shapes == {name: (num_paths, *shape) for name, shape in expected.items()}:
        return [jax.tree_util.tree_map(lambda leaf, i=path: np.asarray(leaf)[i], init) for path in range(num_paths)]
    described = ", ".join(f"{name}{list(shape)}" for name, shape in expected.items())
    found = (
        f"something else{_misfit(model, init)}"
        if shapes is None
        else ", ".join(f"{name}{list(shape)}" for name, shape in shapes.items())
    )
    raise ValueError(
        f"`init` does not fit the model. Its parameters are {described}; `init` has {found}. Give all parameters as "
        f"one pytree, a list of {num_paths} of them, or one with a leading axis of length {num_paths} on every leaf."
    )


def _misfit(model: Model, init: Any) -> str:
    """What does not fit in a dictionary of parameters, in parentheses."""
    if not isinstance(init, Mapping):
        return ""
    known = dict.fromkeys(name for part in model.parts for name in (part.name.partition(".")[0], part.name))
    hints = [
        f"{str(name)!r} is no parameter of the model{did_you_mean(str(name), known)}"
        for name in init
        if str(name) not in known
    ]
    try:
        model.named_parameters(init)
    except (ValueError, TypeError) as error:
        hints.insert(0, str(error).rstrip("."))
    return f" ({'; '.join(hints)})" if hints else ""


def _shapes(model: Model, parameters: Any) -> dict[str, tuple[int, ...]] | None:
    """Shapes by variable name, or None if the structure is another one."""
    try:
        named = model.named_parameters(parameters)
    except (ValueError, TypeError):
        return None
    return {name: np.shape(value) for name, value in named.items()}


def _unconstrained(model: Model, parameters: PyTree | Mapping[str, Any], path: int) -> np.ndarray:
    try:
        return model.unconstrain(parameters)
    except (ValueError, TypeError) as error:
        raise ValueError(f"`init` of path {path}: {error}") from error
