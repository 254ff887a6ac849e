"""Points of PyMC models: from constrained values to unconstrained vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pathfinder._errors import BoundaryValueError
from pathfinder.interop._pymc.graphs import Slice


class PymcPoints:
    """Unconstrained vectors of a PyMC model, from values of its free variables.

    Args:
        model: The PyMC model.
        layout: Where each free variable is in a vector.
        shapes: Shapes of the variables on the constrained scale by name.
    """

    def __init__(self, model: Any, layout: Sequence[Slice], shapes: Mapping[str, tuple[int, ...]]):
        self._model, self._layout = model, layout
        self._shapes = {variable.name: shapes[variable.name] for variable in model.free_RVs}
        self._function: Any = None

    def named(self, parameters: Any) -> dict[str, Any]:
        """Free variables by name, in order.

        Raises:
            ValueError: If these are others.
        """
        if not isinstance(parameters, Mapping) or set(parameters) != set(self._shapes):
            raise ValueError(f"The parameters are a dictionary by name of {', '.join(self._shapes)}.")
        return {name: parameters[name] for name in self._shapes}

    def unconstrain(self, parameters: Mapping[str, Any]) -> np.ndarray:
        """The unconstrained vector of values by name.

        Raises:
            ValueError: If one has another shape or is out of its range.
        """
        values = {name: np.asarray(value, float) for name, value in parameters.items()}
        for name, shape in self._shapes.items():
            if values[name].shape != shape:
                raise ValueError(f"Parameter '{name}' has shape {shape}, but {values[name].shape} was given.")
        if self._function is None:
            self._function = self._forward()
        with np.errstate(all="ignore"):
            parts = self._function(*(values[name] for name in self._shapes))
        for name, part in zip(self._shapes, parts, strict=True):
            if not np.all(np.isfinite(part)):
                kind = ValueError if np.any(np.isnan(part)) else BoundaryValueError
                raise kind(
                    f"The given value of parameter '{name}' is not finite on the unconstrained scale: {values[name]}. "
                    "It is out of the variable's range, or on its boundary."
                )
        return self._vector(dict(zip((own.name for own in self._layout), parts, strict=True)))

    def start(self) -> np.ndarray:
        """The vector that PyMC's samplers start around: `initval` of each variable, or what PyMC takes without."""
        return self._vector(self._model.initial_point())

    def _vector(self, parts: Mapping[str, Any]) -> np.ndarray:
        return np.concatenate([np.ravel(parts[own.name]) for own in self._layout])

    def _forward(self) -> Any:
        """Unconstrained values of all free variables as a function of the constrained ones, not compiled."""
        from pytensor.compile.function import function
        from pytensor.compile.mode import Mode
        from pytensor.graph.replace import clone_replace

        model = self._model
        inputs = {variable: variable.type() for variable in model.free_RVs}
        outputs = [
            value
            if (transform := model.rvs_to_transforms[variable]) is None
            # The range may depend on the other variables.
            else transform.forward(value, *clone_replace(list(variable.owner.inputs), inputs))
            for variable, value in inputs.items()
        ]
        return function(
            list(inputs.values()),
            outputs,
            mode=Mode(linker="py", optimizer="minimum_compile"),
            on_unused_input="ignore",
        )
