"""Parameters of a density outside of JAX: the elements of a position, or what a function makes of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pathfinder._errors import NoParametersError
from pathfinder._model.user_functions import described
from pathfinder._variables import Variable


class CallableParameters:
    """The parameters by name of a position, and back.

    Args:
        dim: Length of the position.
        names: Of its elements, as parameters of their own.
        constrain: Parameters by name at a position; called once at the origin for their shapes. Without it and `names`
            the position is the parameter `x`.
        unconstrain: The position of parameters by name, if `constrain` is given.
        dims: Names of the axes of parameters.

    Raises:
        ValueError: If these do not fit together.
    """

    def __init__(
        self,
        dim: int,
        names: Sequence[str] | None = None,
        constrain: Callable[[np.ndarray], Mapping[str, Any]] | None = None,
        unconstrain: Callable[[Mapping[str, Any]], Any] | None = None,
        dims: Mapping[str, tuple[str, ...]] | None = None,
    ):
        if dim < 1:
            raise NoParametersError(dim)
        if names is not None and constrain is not None:
            raise ValueError("Give `names` or `constrain`, which names the parameters itself, but not both.")
        if names is not None and (isinstance(names, str) or len(names) != dim or len(set(names)) != dim):
            raise ValueError(f"`names` must be {dim} different names, one for each element, but {names!r} was given.")
        self._dim, self._names, self._constrain, self._unconstrain = dim, names, constrain, unconstrain
        dims = dims or {}
        shapes = {name: value.shape for name, value in self.constrain(np.zeros(dim), None).items()}
        for name, axes in dims.items():
            if name in shapes and len(axes) != len(shapes[name]):
                raise ValueError(
                    f"`dims` gives `{name}` {len(axes)} names of axes, but its shape is {list(shapes[name])}."
                )
        self.variables = tuple(
            Variable(name, shape, tuple(dims[name]) if name in dims else None) for name, shape in shapes.items()
        )

    def constrain(self, position: np.ndarray, data: Any) -> dict[str, np.ndarray]:
        """Parameters by name at a position; there are no data."""
        if self._names is not None:
            return {name: np.asarray(value) for name, value in zip(self._names, position, strict=True)}
        if self._constrain is None:
            return {"x": np.asarray(position)}
        values = self._constrain(np.array(position))
        if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
            raise ValueError(
                f"`constrain` must return a dictionary of arrays by name, but it returned {described(values)}."
            )
        return {name: np.array(value) for name, value in values.items()}

    def named(self, parameters: Any) -> dict[str, Any]:
        """Parameters as a dictionary by name, which they are unless there is only the array `x`.

        Raises:
            ValueError: If they are something else.
        """
        names = [variable.name for variable in self.variables]
        if isinstance(parameters, Mapping) and set(parameters) == set(names):
            return {name: parameters[name] for name in names}
        if self._names is None and self._constrain is None and hasattr(parameters, "shape"):
            return {"x": parameters}
        raise ValueError(f"The parameters of the model are a dictionary by name of {', '.join(names)}.")

    def unconstrain(self, parameters: Mapping[str, Any]) -> np.ndarray:
        """The position of parameters by name.

        Raises:
            ValueError: If one has another shape, or nobody said how.
        """
        values = {name: np.asarray(value, float) for name, value in parameters.items()}
        for variable in self.variables:
            shape = values[variable.name].shape
            if shape != variable.shape:
                raise ValueError(
                    f"Parameter '{variable.name}' has shape {variable.shape}, but a value of shape {shape} was given."
                )
        if self._constrain is None:
            return np.concatenate([value.ravel() for value in values.values()])
        if self._unconstrain is None:
            raise ValueError(
                "The model does not know the position of given parameters. Give Model.from_callable the inverse of "
                "`constrain` as `unconstrain`."
            )
        position = np.asarray(self._unconstrain(values), float)
        if position.shape != (self._dim,):
            raise ValueError(
                f"`unconstrain` must return an array of shape ({self._dim},), but it returned {list(position.shape)}."
            )
        return position
