"""Warm starts of PyMC's NUTS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float


def pymc_start(
    values: Sequence[Mapping[str, Any]],
    matrix: Float[np.ndarray, "*rows dim"],
    num_warmup: int,
    target_acceptance: float,
    model: Any = None,
) -> dict[str, Any]:
    """Arguments for `pymc.sample`.

    With a step method of its own, PyMC does not move the starts, as it does by default.

    Args:
        values: Values of the free variables where each chain starts.
        matrix: The inverse mass matrix, or its diagonal; in the order of the model's value variables.
        num_warmup: Steps of warm-up, in which the step size alone is adapted.
        target_acceptance: The acceptance that it is adapted to.
        model: The PyMC model; that of the `with` block if None.

    Raises:
        ValueError: If the model is another one than that of the fit.
    """
    import pymc
    from pymc.step_methods.hmc.quadpotential import QuadPotentialDiag, QuadPotentialFull

    model = pymc.modelcontext(model)
    own = [variable.name for variable in model.free_RVs]
    if set(own) != set(values[0]):
        raise ValueError(
            f"The PyMC model has the free variables {', '.join(own)}, but the fit is of {', '.join(values[0])}. Fit "
            "pathfinder.Model.from_pymc(model), whose unconstrained scale is that of the model."
        )
    dim = sum(int(np.prod(shape, dtype=np.int64)) for shape in _value_shapes(model))
    if dim != matrix.shape[-1]:
        raise ValueError(f"The PyMC model has {dim} unconstrained parameters, but the fit is of {matrix.shape[-1]}.")
    matrix = np.asarray(matrix, np.float64).copy()
    potential = QuadPotentialFull(matrix) if matrix.ndim == 2 else QuadPotentialDiag(matrix)
    with model:
        step = pymc.NUTS(potential=potential, step_scale=1.0, target_accept=target_acceptance)
    starts = [{name: np.asarray(value) for name, value in own.items()} for own in values]
    return {"step": step, "initvals": starts, "tune": num_warmup, "chains": len(starts)}


def _value_shapes(model: Any) -> list[tuple[int, ...]]:
    point = model.initial_point()
    return [np.shape(point[variable.name]) for variable in model.value_vars]
