"""Functions of parameters that users give, as functions of the unconstrained vector."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters.partial_eval import dce_jaxpr
from jaxtyping import Array, PyTree

from pathfinder._arrays.key_order import in_key_order, key_order
from pathfinder._model.axis_names import check_known, data_dims
from pathfinder._model.data import data_arrays
from pathfinder._model.named_data import named_data
from pathfinder._model.parameters import ParameterStructure, parameter_names
from pathfinder._model.user_functions import described, explained
from pathfinder._variables import Variable


_NUMERIC = (jax.Array, np.ndarray, np.generic, int, float, complex)
NUMPYRO_HINT = "For a NumPyro model use pathfinder.Model.from_numpyro(model, *args)."
_WANTED = "The log density must return one real number (a scalar), but"


@dataclass(frozen=True)
class _Structured:
    """A user's function on parameters seen as a function of the unconstrained vector.

    Equal if the function and the structure are, so that a model made twice shares its compiled programs.
    """

    fn: Any
    structure: ParameterStructure
    has_data: bool
    data_order: Hashable

    def _parameters(self, position):
        return self.structure.constrain(position)

    def _data(self, data) -> tuple:
        return (in_key_order(self.data_order, data),) if self.has_data else ()


class StructuredDensity(_Structured):
    def __call__(self, position, data):
        parameters, log_jacobian = self._parameters(position)
        given = self._data(data)
        with explained("The log density", parameters, *given):
            return self.fn(parameters, *given) + log_jacobian

    def without_jacobian(self, position, data):
        parameters, given = self._parameters(position)[0], self._data(data)
        with explained("The log density", parameters, *given):
            value = self.fn(parameters, *given)
        for leaf in jax.tree_util.tree_leaves(value):
            if not isinstance(leaf, _NUMERIC):
                raise ValueError(f"{_WANTED} it returned {described(leaf)}.")
        return value


class StructuredConstrain(_Structured):
    def __call__(self, position, data):
        parameters, _ = self._parameters(position)
        named = self.structure.named(parameters)
        if self.fn is not None:
            given = self._data(data)
            with explained("`transformed`", parameters, *given):
                named |= _named_arrays(self.fn(parameters, *given), "transformed")
        return named


class StructuredGenerate(_Structured):
    def __call__(self, key, position, data):
        parameters, _ = self._parameters(position)
        given = self._data(data)
        with explained("`generated`", parameters, *given):
            return _named_arrays(self.fn(key, parameters, *given), "generated")


def check_call(function: Any, role: str, form: str) -> None:
    """Check that a user's function can be called in the given form, `log_density(params, data)`.

    Raises:
        ValueError: If it is no function, or takes other arguments.
    """
    if not callable(function):
        raise ValueError(f"{role} must be a function {form}, but it is {described(function)}.")
    arguments = form.partition("(")[2].rstrip(")").split(", ")
    try:
        signature = inspect.signature(function)
        signature.bind(*arguments)
    except TypeError as error:
        name = getattr(function, "__name__", form.partition("(")[0])
        raise ValueError(f"{role} is called as {form}, but it has the signature {name}{signature}: {error}.") from error
    except ValueError:
        pass  # builtins and some wrapped functions have no signature to look at; calling them will tell


def _named_arrays(values: Any, argument: str) -> dict[str, Array]:
    if not isinstance(values, Mapping):
        raise ValueError(
            f"`{argument}` must return a dictionary of arrays by name, but it returned {described(values)}. "
            'Return for instance {"name": value}.'
        )
    arrays = {}
    for name, value in values.items():
        if not isinstance(name, str):
            raise ValueError(f"`{argument}` must return a dictionary by name, but a key is {name!r}. Use a string.")
        try:
            arrays[name] = jnp.asarray(value)
        except (TypeError, ValueError) as error:
            if isinstance(error, jax.errors.JAXTypeError):
                raise
            raise ValueError(
                f"`{argument}` must return arrays of numbers, but {name!r} is {described(value)}."
            ) from error
    return arrays


def check_scalar(density: StructuredDensity, position: Any, data: PyTree) -> None:
    """Check that a log density can be called, and returns one real number.

    Raises:
        ValueError: If not.
    """
    form = "log_density(params, data)" if density.has_data else "log_density(params)"
    check_call(density.fn, "The log density", form)
    try:
        traced, result = jax.make_jaxpr(density.without_jacobian, return_shape=True)(position, data)
    except AssertionError as error:
        # Without a key and handlers its sites cannot be drawn.
        if _raised_in(error.__traceback__, "numpyro.primitives"):
            raise ValueError(f"The log density samples sites of NumPyro. {NUMPYRO_HINT}") from error
        raise
    if getattr(result, "shape", None) != () or not jnp.issubdtype(result.dtype, jnp.floating):
        leaves = jax.tree_util.tree_leaves(result)
        if not leaves:
            hint = f"Does it end without `return`? {NUMPYRO_HINT}"
        elif any(leaf.shape for leaf in leaves):
            hint = "Did you forget a `.sum()`?"
        else:
            hint = "Return the sum of all terms, a floating-point number."
        found = jax.tree_util.tree_map(lambda leaf: f"{leaf.dtype}{list(leaf.shape)}", result)
        raise ValueError(f"{_WANTED} it returned {found}. {hint}")
    if density.structure.is_constrained and not dce_jaxpr(traced.jaxpr, [True])[1][0]:
        # Without constraints a fit finds this from the values; with them, the Jacobian varies.
        warnings.warn(
            "The log density does not depend on its parameters: only the Jacobian of their constraints varies, "
            "and draws are those of a flat density within the constraints. Check that it uses its parameters.",
            stacklevel=5,
        )


def _raised_in(trace: TracebackType | None, module: str) -> bool:
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == module:
            return True
        trace = trace.tb_next
    return False


def shapes_by_name(function: Callable[..., Mapping[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Shapes of what a function returns, in the order in which it writes its dictionary; JAX sorts them by name."""
    names: list[str] = []

    def recorded(*arguments):
        values = function(*arguments)
        names[:] = values
        return values

    shapes = jax.eval_shape(recorded, *arguments)
    return {name: shapes[name] for name in names}


def described_variables(shapes, block, dims, *, skip=(), taken=()) -> list[Variable]:
    skipped = {variable.name for variable in skip}
    names = {variable.name for variable in taken}
    twice = sorted(names & set(shapes))
    if twice:
        raise ValueError(f"{', '.join(map(repr, twice))} is returned by `generated` but already is a variable.")
    return [
        Variable(name, tuple(value.shape), None if name not in dims else tuple(dims[name]), block)
        for name, value in shapes.items()
        if name not in skipped
    ]


def log_density_fields(
    log_density: Callable[..., Any],
    example: PyTree,
    constraints: Mapping[str, Any] | None,
    data: PyTree,
    transformed: Callable[..., Mapping[str, Any]] | None,
    generated: Callable[..., Mapping[str, Any]] | None,
    dims: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Fields of the model of a log density; arguments as of `Model.from_log_density`."""
    names = {parameter for parameter, _ in parameter_names(example)}
    structure = ParameterStructure(example, constraints, {key: dims[key] for key in dims if key in names})
    if data is not None:
        data = data_arrays(data)
    has_data, data_order = data is not None, key_order(data)
    density = StructuredDensity(log_density, structure, has_data, data_order)
    constrain_fn = StructuredConstrain(transformed, structure, has_data, data_order)
    generate_fn = None if generated is None else StructuredGenerate(generated, structure, has_data, data_order)
    position = jax.ShapeDtypeStruct((structure.dim,), structure.dtype)
    check_scalar(density, position, data)
    for function, role, form in (
        (transformed, "`transformed`", "transformed(params"),
        (generated, "`generated`", "generated(key, params"),
    ):
        if function is not None:
            check_call(function, role, form + (", data)" if has_data else ")"))
    variables = list(structure.variables)
    shapes = shapes_by_name(constrain_fn, position, data)
    variables += described_variables(shapes, "transformed parameters", dims, skip=variables)
    if generate_fn is not None:
        quantities = shapes_by_name(generate_fn, jax.eval_shape(jax.random.key, 0), position, data)
        variables += described_variables(quantities, "generated quantities", dims, taken=variables)
    named = named_data(data)
    check_known(dims, variables, named)
    return {
        "dim": structure.dim,
        "density": density,
        "constrain_fn": constrain_fn,
        "unconstrain_fn": structure.unconstrain,
        "named_fn": structure.named,
        "variables": tuple(variables),
        "data": data,
        "generate_fn": generate_fn,
        "data_dims": data_dims(dims, named, {variable.name for variable in variables}),
        "dtype": structure.dtype,
    }
