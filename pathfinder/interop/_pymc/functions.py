"""The functions of PyMC models in JAX, made once for all data of the same shapes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import jax
import numpy as np

from pathfinder._arrays.placed import placed
from pathfinder.interop._pymc.frozen import frozen_model
from pathfinder.interop._pymc.graphs import (
    GraphDensity,
    GraphVariables,
    NoJaxVersionError,
    Slice,
    jax_conversion,
    jax_function,
    shared_variables,
)


MOST_SHAPES = 8  # of data, whose functions are kept for each model
MOST_WORDS = 200  # characters of an error of PyTensor, which may quote a whole program


@dataclass(frozen=True)
class ModelGraphs:
    """What a PyMC model computes of the values of its free variables.

    Args:
        values: The inputs for these values.
        log_density: The log density with Jacobians.
        variables: Free variables and deterministics on the constrained scale, by name.
        log_likelihood: Log densities of the elements of observed variables, by name.
        shared: The shared variables in all of these, and lengths of dims, which sizes of variables depend on.
    """

    values: tuple[Any, ...]
    log_density: Any
    variables: Mapping[str, Any]
    log_likelihood: Mapping[str, Any]
    shared: tuple[Any, ...]


class PymcFunctions:
    """Log density, constrained variables and log likelihood of a model, for data of certain shapes.

    Args:
        graphs: What is computed.
        shapes: Unconstrained shapes of free variables by PyMC's names of them.
        arguments: Current values of the shared variables that are arguments.
        constants: Of those whose values are constants.
        checks_bounds: As `pymc.Model.check_bounds`.

    Raises:
        NoJaxVersionError: If an operation has no version in JAX.
    """

    def __init__(
        self,
        graphs: ModelGraphs,
        shapes: Mapping[str, tuple[int, ...]],
        arguments: Mapping[Any, np.ndarray],
        constants: Mapping[Any, np.ndarray],
        checks_bounds: bool,
    ):
        self._graphs, self._constants, self._checks_bounds = graphs, constants, checks_bounds
        self._arguments = {shared: (value.shape, value.dtype) for shared, value in arguments.items()}
        self._names = dict(zip(arguments, _unique_names(arguments), strict=True))
        self.layout = _layout(graphs.values, shapes)
        self.dim = self.layout[-1].end
        self.dtype = np.result_type(*(own.dtype for own in self.layout))
        self.density = GraphDensity(*self._function([graphs.log_density]))
        self.constrain = self._by_name(graphs.variables)
        self._log_likelihood: GraphVariables | None = None
        position, data = jax.ShapeDtypeStruct((self.dim,), self.dtype), jax.eval_shape(lambda: self.data())
        jax.eval_shape(self.density, position, data)
        found = jax.eval_shape(self.constrain, position, data)
        self.shapes = {name: tuple(found[name].shape) for name in graphs.variables}

    def are_current(self) -> bool:
        """Whether they are those of the model with its current data."""
        return all(
            (shared.get_value(borrow=True).shape, shared.get_value(borrow=True).dtype) == described
            for shared, described in self._arguments.items()
        ) and all(np.array_equal(shared.get_value(borrow=True), value) for shared, value in self._constants.items())

    def data(self) -> dict[str, Any]:
        """The current values of the arguments by name, as arrays of JAX."""
        return placed({name: shared.get_value() for shared, name in self._names.items()})

    def data_name(self, shared: Any) -> str | None:
        """The name of the argument that holds the values of a shared variable; None if it is none."""
        return self._names.get(shared)

    def log_likelihood(self, position: Any, data: Mapping[str, Any]) -> dict[str, Any]:
        """Log densities of the elements of observed variables, by name; converted when they are first wanted."""
        if self._log_likelihood is None:
            self._log_likelihood = self._by_name(self._graphs.log_likelihood)
        return self._log_likelihood(position, data)

    def _by_name(self, outputs: Mapping[str, Any]) -> GraphVariables:
        return GraphVariables(tuple(outputs), *self._function(list(outputs.values())))

    def _function(self, outputs: Sequence[Any]) -> tuple[Any, ...]:
        function = jax_function(
            list(zip(self._graphs.values, (own.shape for own in self.layout), strict=True)),
            outputs,
            [(shared, shape) for shared, (shape, _) in self._arguments.items()],
            self._constants,
            self._checks_bounds,
        )
        return function, self.layout, tuple(self._names.values())


@dataclass
class _Kept:
    """What is kept of a model; no part of it knows the model, which goes when nobody else needs it."""

    structure: tuple[Any, ...] = ()
    graphs: ModelGraphs | None = None
    functions: list[PymcFunctions] = field(default_factory=list)


_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()


def functions_of(model: Any) -> PymcFunctions:
    """The functions of a PyMC model with its current data: the same ones for all data of the same shapes.

    Raises:
        ValueError: If the model cannot be converted to JAX; says which operation or variable is why.
    """
    jax_conversion()  # with the precision that PyTensor sets
    kept = _kept.setdefault(model, _Kept())
    own = (model.value_vars, model.free_RVs, observed_variables(model), model.deterministics, model.potentials)
    structure = tuple(map(tuple, own))
    if kept.graphs is None or structure != kept.structure:
        kept.structure, kept.graphs, kept.functions = structure, _graphs(model), []
    dtype = np.result_type(*(value.type.dtype for value in kept.graphs.values))
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise ValueError(
            "The PyMC model is in double precision, but JAX is not: call jax.config.update('jax_enable_x64', True), "
            "or make the model with PyTensor's floatX='float32'."
        )
    for functions in kept.functions:
        if functions.are_current():
            break
    else:
        functions = _converted(model, kept.graphs)
        kept.functions = [*kept.functions[-MOST_SHAPES + 1 :], functions]
    return functions


def observed_variables(model: Any) -> list[Any]:
    """Observed variables of a PyMC model, each once: `pm.sample_posterior_predictive` adds them another time."""
    return list(dict.fromkeys(model.observed_RVs))


def _graphs(model: Any) -> ModelGraphs:
    variables, observed = [*model.free_RVs, *model.deterministics], observed_variables(model)
    constrained = model.replace_rvs_by_values(variables)
    parts = model.logp([*observed, *model.free_RVs, *model.potentials], sum=False)
    log_density, log_likelihood = sum(part.sum() for part in parts), parts[: len(observed)]
    shared = shared_variables([log_density, *constrained, *model.dim_lengths.values()])
    if not all(hasattr(variable.get_value(borrow=True), "shape") for variable in shared):
        raise ValueError("The model uses pm.Minibatch, whose density is random; pass the whole data.")
    return ModelGraphs(
        values=tuple(model.value_vars),
        log_density=log_density,
        variables={variable.name: graph for variable, graph in zip(variables, constrained, strict=True)},
        log_likelihood={variable.name: graph for variable, graph in zip(observed, log_likelihood, strict=True)},
        shared=shared,
    )


def _converted(model: Any, graphs: ModelGraphs) -> PymcFunctions:
    """The functions, with as many of the data as arguments as JAX allows.

    Lengths of dims are always constants. Single numbers are, where shapes depend on one, and if that is not enough, all
    data, which PyMC can work out more of beforehand.
    """
    shapes = {value.name: value.type.shape for value in graphs.values}
    if any(None in shape for shape in shapes.values()):
        shapes = {name: tuple(map(int, shape)) for name, shape in model.eval_rv_shapes().items()}
    values = {shared: shared.get_value() for shared in graphs.shared}
    lengths = set(model.dim_lengths.values())
    numbers = {shared for shared, value in values.items() if value.ndim == 0}
    failure: Exception | None = None
    for constant in dict.fromkeys([frozenset(lengths), frozenset(lengths | numbers)]):
        arguments = {shared: value for shared, value in values.items() if shared not in constant}
        constants = {shared: value for shared, value in values.items() if shared in constant}
        try:
            return PymcFunctions(graphs, shapes, arguments, constants, model.check_bounds)
        except NoJaxVersionError as error:
            failure = error
            break
        except Exception as error:
            failure = error
    try:
        functions = PymcFunctions(_graphs(frozen_model(model)), shapes, {}, values, model.check_bounds)
    except NoJaxVersionError as error:
        raise ValueError(
            f"The PyMC model uses {error.operation[:MOST_WORDS]}, which has no JAX version. Register one with "
            "pytensor.link.jax.dispatch.jax_funcify, or use sunode or diffrax for differential equations."
        ) from error
    except Exception as error:
        said = f"{type(error).__name__}: {str(error)[:MOST_WORDS]}"
        raise ValueError(f"The PyMC model cannot be evaluated in JAX: {said}") from error
    warnings.warn(
        "The data of the PyMC model are constants of its compiled programs, since JAX cannot take them as arguments: "
        f"{str(failure).splitlines()[0][:MOST_WORDS]} Other data will be compiled anew.",
        stacklevel=5,
    )
    return functions


def _layout(values: Sequence[Any], shapes: Mapping[str, tuple[int, ...]]) -> tuple[Slice, ...]:
    found: list[Slice] = []
    for variable in values:
        begin = found[-1].end if found else 0
        found.append(Slice(variable.name, shapes[variable.name], variable.type.dtype, begin))
    return tuple(found)


def _unique_names(shared: Any) -> list[str]:
    """Names of shared variables, which those that no `pm.Data` made may lack, or have in common."""
    names: list[str] = []
    for variable in shared:
        name = variable.name or "shared"
        count = sum(other == name or other.startswith(f"{name}_") for other in names)
        names.append(f"{name}_{count}" if name in names else name)
    return names
