"""Graphs of PyTensor as functions of an unconstrained vector and data, in JAX.

Shared variables, which is what `pm.Data` makes, become arguments with static shapes: other data of the same shapes need
no other program. JAX knows no shapes that depend on values, so that lengths of dims are constants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class NoJaxVersionError(Exception):
    """An operation of a graph has no version in JAX.

    Args:
        message: What PyTensor says of it.
    """

    def __init__(self, message: str):
        super().__init__(message)
        self.operation = re.sub(r"^No JAX \w+ for (the given )?`?Op`?:? ", "", message).partition(
            ". Implementation is"
        )[0]


@dataclass(frozen=True)
class Slice:
    """Where a free variable stands in the unconstrained vector.

    Args:
        name: PyMC's name of it, such as `tau_log__`.
        shape: Its unconstrained shape.
        dtype: Its floating-point type.
        begin: Where it begins.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    begin: int

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.begin + int(np.prod(self.shape, dtype=np.int64))


class _GraphFunction:
    """Outputs of a graph as a function `(position, data)`; compiled programs are kept by its identity.

    Args:
        function: Of the free variables' unconstrained values, and of the data in the order of `data_names`.
        layout: Where these values are in a position.
        data_names: Names of the data.
    """

    def __init__(self, function: Callable[..., Any], layout: Sequence[Slice], data_names: Sequence[str]):
        self._function, self._layout, self._data_names = function, tuple(layout), tuple(data_names)

    def outputs(self, position: Any, data: Mapping[str, Any]) -> Sequence[Any]:
        """The outputs in order.

        Raises:
            ValueError: If the data have other names.
        """
        if not isinstance(data, Mapping) or set(data) != set(self._data_names):
            given = ", ".join(map(repr, data)) if isinstance(data, Mapping) else repr(data)
            raise ValueError(
                f"The data of the PyMC model are {', '.join(map(repr, self._data_names)) or 'none'}; given were "
                f"{given or 'none'}."
            )
        values = [position[own.begin : own.end].reshape(own.shape).astype(own.dtype) for own in self._layout]
        with jax.numpy_dtype_promotion("standard"):  # PyTensor relies on it, whatever the user has chosen
            return self._function(*values, *(data[name] for name in self._data_names))


class GraphDensity(_GraphFunction):
    """A log density, the one output of its graph."""

    def __call__(self, position, data):
        return jnp.asarray(self.outputs(position, data)[0], position.dtype)


class GraphVariables(_GraphFunction):
    """Outputs by name.

    Args:
        names: Of the outputs.
        function: As of `GraphDensity`.
        layout: As of `GraphDensity`.
        data_names: As of `GraphDensity`.
    """

    def __init__(self, names: Sequence[str], *arguments: Any):
        super().__init__(*arguments)
        self._names = tuple(names)

    def __call__(self, position, data):
        return {name: jnp.asarray(value) for name, value in zip(self._names, self.outputs(position, data), strict=True)}


def shared_variables(graphs: Sequence[Any]) -> tuple[Any, ...]:
    """The shared variables that graphs depend on, generators of random numbers included."""
    from pytensor.compile.sharedvalue import SharedVariable

    return tuple(variable for variable in _graph_inputs(graphs) if isinstance(variable, SharedVariable))


def jax_function(
    values: Sequence[tuple[Any, tuple[int, ...]]],
    outputs: Sequence[Any],
    arguments: Sequence[tuple[Any, tuple[int, ...]]],
    constants: Mapping[Any, np.ndarray],
    checks_bounds: bool,
) -> Callable[..., Any]:
    """A function of free variables' values and data that gives the outputs.

    Args:
        values: The graph's inputs for the free variables, with their shapes.
        outputs: What is computed.
        arguments: Shared variables that are arguments, with their shapes.
        constants: Values of shared variables that are constants of the function.
        checks_bounds: Whether parameters of distributions that are out of range make the log density minus infinity.

    Raises:
        NoJaxVersionError: If an operation has no version in JAX.
    """
    from pytensor.compile.mode import JAX
    from pytensor.graph.fg import FunctionGraph
    from pytensor.graph.replace import clone_replace
    from pytensor.tensor.basic import constant
    from pytensor.tensor.type import tensor

    jax_funcify = jax_conversion()
    # Without static shapes JAX cannot make anything that is as large as one of them.
    inputs = {
        variable: tensor(variable.name, dtype=variable.type.dtype, shape=shape)
        for variable, shape in [*values, *arguments]
    }
    replace = inputs | {shared: constant(value) for shared, value in constants.items()}
    replaced = clone_replace(list(outputs), replace=replace, rebuild_strict=False)
    graph = FunctionGraph(inputs=list(inputs.values()), outputs=replaced, clone=True)
    checks = "local_check_parameter_to_ninf_switch" if checks_bounds else "local_remove_check_parameter"
    rewriter: Any = JAX.including(checks).optimizer
    rewriter.rewrite(graph)
    try:
        return jax_funcify(graph)
    except NotImplementedError as error:
        if not str(error).startswith("No JAX"):
            raise
        raise NoJaxVersionError(str(error)) from error


def _graph_inputs(graphs: Sequence[Any]) -> Any:
    try:
        from pytensor.graph.traversal import graph_inputs
    except ImportError:  # where older versions have it
        from pytensor.graph.basic import graph_inputs
    return graph_inputs(list(graphs))


def jax_conversion() -> Any:
    """PyTensor's conversion to JAX, which also knows PyMC's own operations; it turns on JAX's double precision.

    PyMC registers them in `pymc.sampling.jax`, which on being imported tells XLA to make a hundred devices of the CPU.
    """
    from pymc.distributions.multivariate import PosDefMatrix
    from pymc.logprob.utils import CheckParameterValue
    from pytensor.link.jax.dispatch.basic import jax_funcify
    from pytensor.raise_op import Assert, CheckAndRaise
    from pytensor.scalar.math import Erfcx

    conversion: Any = jax_funcify
    if conversion.dispatch(CheckParameterValue) is conversion.dispatch(CheckAndRaise):
        # What is left of checks: a compiled program cannot raise an error.
        for check in (Assert, CheckParameterValue):
            conversion.register(check)(lambda op, **_: lambda value, *conditions: value)
        conversion.register(PosDefMatrix)(
            lambda op, **_: lambda value, *_: jnp.all(jnp.isfinite(jnp.linalg.cholesky(value)))
        )
    if find_spec("tensorflow_probability") is None and hasattr(jax.scipy.special, "erfcx"):
        conversion.register(Erfcx)(lambda op, **_: jax.scipy.special.erfcx)
    return conversion
