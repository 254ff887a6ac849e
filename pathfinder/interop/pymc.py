"""PyMC models: the fields of a `pathfinder.Model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pathfinder._errors import NoParametersError
from pathfinder._optional_packages import required
from pathfinder._variables import Block, Variable
from pathfinder.interop._pymc.functions import PymcFunctions, functions_of, observed_variables
from pathfinder.interop._pymc.points import PymcPoints
from pathfinder.interop._pymc.predictions import PymcPredictions


def pymc_fields(model: Any = None) -> dict[str, Any]:
    """The fields of `pathfinder.Model` for a PyMC model.

    Args:
        model: A `pymc.Model`; None for that of the `with` block.

    Raises:
        ModuleNotFoundError: If PyMC is not installed.
        ValueError: If the model cannot be fitted; says which variable or operation is why.
    """
    pymc = required("pymc", "PyMC models need", "pymc")
    model = _given(pymc, model)
    _check(model)
    functions = functions_of(model)
    dims = {name: axes for name, axes in model.named_vars_to_dims.items() if None not in axes}
    points = PymcPoints(model, functions.layout, functions.shapes)
    data, data_fn = functions.data(), _Data(model, functions)
    return dict(
        dim=functions.dim,
        density=functions.density,
        constrain_fn=functions.constrain,
        unconstrain_fn=points.unconstrain,
        named_fn=points.named,
        start_fn=points.start,
        variables=_variables(model, functions, dims),
        data=data,
        data_fn=data_fn,
        observed=tuple(variable.name for variable in observed_variables(model)),
        data_dims=_fitting(dims, data_fn(data)),
        log_likelihood_fn=functions.log_likelihood if model.observed_RVs else None,
        predict_draws_fn=PymcPredictions.of(model),
        observed_variables=_observed_variables(model, dims),
        dtype=functions.dtype,
        name=model.name or "model",
        coords={name: np.asarray(values) for name, values in model.coords.items() if values is not None},
    )


class _Data:
    """The data by name as PyMC shows them: the values of observed variables, and constants.

    Args:
        model: The PyMC model.
        functions: Its functions, whose data they are.
    """

    def __init__(self, model: Any, functions: PymcFunctions):
        from pymc.backends.arviz import find_constants, find_observations

        observed = {variable.name: model.rvs_to_values[variable] for variable in model.observed_RVs}
        constants = {variable.name: variable for variable in model.data_vars}
        self._values = {**find_observations(model), **find_constants(model)}
        # Those that arguments of the log density hold are taken from there.
        self._arguments = {
            name: functions.data_name(_without_casts((observed if name in observed else constants)[name]))
            for name in self._values
        }

    def __call__(self, data: Mapping[str, Any]) -> dict[str, np.ndarray]:
        return {
            name: np.asarray(value if argument is None else data[argument])
            for (name, value), argument in zip(self._values.items(), self._arguments.values(), strict=True)
        }


def _given(pymc: Any, model: Any) -> Any:
    if model is None:
        try:
            return pymc.modelcontext(None)
        except TypeError as error:
            raise ValueError(
                "There is no PyMC model around: give Model.from_pymc(model), or call it within `with model:`."
            ) from error
    if not isinstance(model, pymc.Model):
        raise ValueError(f"Model.from_pymc takes a pymc.Model, but {type(model).__name__} was given.")
    return model


def _check(model: Any) -> None:
    """Refuse what has no density of continuous parameters.

    Raises:
        ValueError: With the name of the variable.
    """
    from pymc.distributions.simulator import SimulatorRV

    for variable in [*model.free_RVs, *model.observed_RVs]:
        if isinstance(getattr(variable.owner, "op", None), SimulatorRV):
            raise ValueError(f"Variable '{variable.name}' is a pm.Simulator, which has no density.")
    if model.discrete_value_vars:
        names = [
            variable.name for variable in model.free_RVs if model.rvs_to_values[variable] in model.discrete_value_vars
        ]
        several = len(names) > 1
        raise ValueError(
            f"Free variable{'s' if several else ''} {', '.join(map(repr, names))} of the PyMC model "
            f"{'are' if several else 'is'} discrete, and Pathfinder needs continuous ones. Sum "
            f"{'them' if several else 'it'} out, for instance with pymc_extras.marginalize(model, {names})."
        )
    if not model.free_RVs:
        raise NoParametersError(reason="none of its variables is free. Pathfinder needs at least 1.")


def _variables(model: Any, functions: PymcFunctions, dims: Mapping[str, Sequence[str]]) -> tuple[Variable, ...]:
    """Free variables and deterministics, in the order in which the model defines them."""
    blocks: dict[str, Block] = {variable.name: "parameters" for variable in model.free_RVs}
    axes = _fitting(dims, functions.shapes)
    return tuple(
        Variable(name, shape, axes.get(name), blocks.get(name, "transformed parameters"))
        for name, shape in functions.shapes.items()
    )


def _observed_variables(model: Any, dims: Mapping[str, Sequence[str]]) -> tuple[Variable, ...]:
    from pymc.backends.arviz import find_observations

    values = {name: np.shape(value) for name, value in find_observations(model).items()}
    axes = _fitting(dims, values)
    return tuple(Variable(name, shape, axes.get(name), "generated quantities") for name, shape in values.items())


def _fitting(dims: Mapping[str, Sequence[str]], shapes: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Names of axes of those arrays that have as many."""
    ndims = {name: len(shape if isinstance(shape, tuple) else np.shape(shape)) for name, shape in shapes.items()}
    return {name: tuple(dims[name]) for name in shapes if name in dims and len(dims[name]) == ndims[name]}


def _without_casts(variable: Any) -> Any:
    """The variable whose values these are in another type."""
    from pytensor.scalar.basic import Cast

    while variable.owner is not None and isinstance(getattr(variable.owner.op, "scalar_op", None), Cast):
        (variable,) = variable.owner.inputs
    return variable
