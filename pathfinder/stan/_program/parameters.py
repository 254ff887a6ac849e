"""Parameters: their unconstrained numbers, and the constraints of declared variables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._expressions.expressions import concrete_int, evaluate
from pathfinder.stan._library.transforms.table import (
    TRANSFORMS,
    check_bounded,
    constrain_bounded,
    constrain_scaled,
    satisfied_bounded,
    unconstrain_bounded,
    unconstrain_scaled,
)
from pathfinder.stan._state.errors import StanRejectError
from pathfinder.stan._state.run import Run, as_type
from pathfinder.stan._statements.declarations import is_unassigned, shape_of
from pathfinder.stan._syntax.expression_text import print_constraint
from pathfinder.stan._syntax.traversal import assigned
from pathfinder.stan._syntax.tree import Bounds, Declaration, SizedType
from pathfinder.stan._types.signature import BASES
from pathfinder.stan._types.types import Type, declared_type
from pathfinder.stan._values.lanes import is_static


@dataclass(frozen=True, eq=False)
class Parameter:
    """A declared parameter, or a part of one that is a tuple.

    Attributes:
        node: Its declaration.
        declared: Its type as declared.
        type: Its type.
        shape: Sizes of the array and of its elements; empty for a tuple.
        array_shape: Sizes of the array alone.
        sizes: Sizes of an element as declared, such as K of a `simplex[K]`.
        transform: Its transform's name; None for bounds.
        free_size: Number of unconstrained parameters.
        parts: Of a tuple.
    """

    node: Declaration
    declared: SizedType
    type: Type
    shape: tuple[int, ...]
    array_shape: tuple[int, ...]
    sizes: tuple[int, ...]
    transform: str | None
    free_size: int
    parts: tuple[Parameter, ...] = ()

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name.text


def parameter_of(run: Run, node: Declaration, simplex: str, declared: SizedType | None = None) -> Parameter:
    """What is known of a parameter once the sizes are."""
    declared = node.type if declared is None else declared
    type_ = declared_type(declared)
    if declared.base == "tuple":
        parts = tuple(parameter_of(run, node, simplex, element) for element in declared.elements)
        dims = tuple(concrete_int(run, size, "a size") for size in declared.dims)
        free_size = int(np.prod(dims)) * sum(part.free_size for part in parts)
        return Parameter(node, declared, type_, (), dims, (), None, free_size, parts)
    shape = shape_of(run, declared)
    array_shape = shape[: len(declared.dims)]
    sizes = shape[len(declared.dims) :][: len(declared.sizes)]
    count = int(np.prod(array_shape))
    if declared.base in BASES:
        per_number = 2 if declared.base.startswith("complex") else 1
        return Parameter(node, declared, type_, shape, array_shape, sizes, None, per_number * int(np.prod(shape)))
    name = f"{declared.base}:{simplex}" if f"{declared.base}:{simplex}" in TRANSFORMS else declared.base
    with run.at(node):
        free_size = count * TRANSFORMS[name].free_size(*sizes)
    return Parameter(node, declared, type_, shape, array_shape, sizes, name, free_size)


def constrained(run: Run, parameter: Parameter, free: Any) -> tuple[Any, Any]:
    """The value of a parameter at its unconstrained numbers, and the log Jacobian (None where it is zero)."""
    if parameter.parts and parameter.array_shape:
        count = int(np.prod(parameter.array_shape))
        element = replace(parameter, array_shape=(), free_size=parameter.free_size // max(count, 1))
        rows = free.reshape(count, -1) if count else jnp.zeros((0, sum(part.free_size for part in parameter.parts)))
        values, log_jacobians = jax.vmap(lambda row: constrained(run, element, row))(rows)
        shaped = jax.tree_util.tree_map(lambda leaf: leaf.reshape(*parameter.array_shape, *leaf.shape[1:]), values)
        return shaped, None if log_jacobians is None else jnp.sum(log_jacobians)
    if parameter.parts:
        values, log_jacobian, start = [], None, 0
        for part in parameter.parts:
            value, more = constrained(run, part, free[start : start + part.free_size])
            start += part.free_size
            values.append(value)
            log_jacobian = more if log_jacobian is None else log_jacobian if more is None else log_jacobian + more
        return tuple(values), log_jacobian
    if parameter.transform is None:
        value = _laid_out(parameter, free)
        limits = bounds_of(run, parameter.declared.bounds)
        if not limits:
            return value, None
        return (constrain_bounded if _is_bounded(limits) else constrain_scaled)(value, **limits)
    transform = TRANSFORMS[parameter.transform]
    count = int(np.prod(parameter.array_shape))
    element_shape = parameter.shape[len(parameter.array_shape) :]
    if not parameter.array_shape:
        return transform.constrain(free, *parameter.sizes)
    if not count:
        return jnp.zeros(parameter.shape), None
    each = jax.vmap(lambda part: transform.constrain(part, *parameter.sizes))
    values, log_jacobians = each(free.reshape(count, -1))
    return values.reshape(*parameter.array_shape, *element_shape), jnp.sum(log_jacobians)


def _laid_out(parameter: Parameter, free: Any) -> Any:
    """Unconstrained numbers in the shape of a parameter: arrays element after element, matrices by columns."""
    if parameter.declared.base.startswith("complex"):
        free = free.reshape(-1, 2)
        free = free[:, 0] + 1j * free[:, 1]
    if parameter.declared.base.endswith("matrix"):
        rows, columns = parameter.shape[-2:]
        return jnp.swapaxes(free.reshape(*parameter.array_shape, columns, rows), -1, -2)
    return free.reshape(parameter.shape)


def bounds_of(run: Run, bounds: Bounds | None) -> dict[str, Any]:
    """Values of the bounds that are written, by name."""
    if bounds is None:
        return {}
    written = {
        "lower": bounds.lower,
        "upper": bounds.upper,
        "offset": bounds.offset,
        "multiplier": bounds.multiplier,
    }
    return {
        name: as_type(Type("real"), evaluate(run, expression))
        for name, expression in written.items()
        if expression is not None
    }


def unconstrained(run: Run, parameter: Parameter, value: Any) -> np.ndarray:
    """Unconstrained numbers of a value.

    Raises:
        ValueError: If it has another shape, or violates the constraint.
    """
    if parameter.parts and parameter.array_shape:
        element = replace(parameter, array_shape=())
        indices = np.ndindex(*parameter.array_shape)
        free = [unconstrained(run, element, jax.tree_util.tree_map(lambda leaf, i=i: leaf[i], value)) for i in indices]
        return np.concatenate([*free, np.zeros(0)])
    if parameter.parts:
        return np.concatenate(
            [unconstrained(run, part, element) for part, element in zip(parameter.parts, value, strict=True)]
        )
    if np.shape(value) != parameter.shape:
        raise ValueError(f"`{parameter.name}` has shape {list(parameter.shape)}, but {list(np.shape(value))} was given")
    if parameter.transform is not None:
        transform = TRANSFORMS[parameter.transform]
        element_shape = parameter.shape[len(parameter.array_shape) :]
        elements = np.asarray(value, float).reshape(-1, *element_shape)
        free = [transform.unconstrain(element, *parameter.sizes) for element in elements]
        return np.concatenate([*free, np.zeros(0)])
    limits = bounds_of(run, parameter.declared.bounds)
    if parameter.declared.base.startswith("complex"):
        value = np.asarray(value, complex)
        return np.stack([value.real.ravel(), value.imag.ravel()], axis=1).ravel()
    free = np.asarray(value, float)
    if limits:
        free = (unconstrain_bounded if _is_bounded(limits) else unconstrain_scaled)(free, **limits)
    return (np.swapaxes(free, -1, -2) if parameter.declared.base.endswith("matrix") else free).ravel()


def require_constraint(
    run: Run, node: Declaration, value: Any, declared: SizedType | None = None, path: str = ""
) -> None:
    """A declared variable outside of the parameters has to satisfy its constraint.

    Raises:
        StanRejectError: If it is known from the data and does not.
    """
    declared = node.type if declared is None else declared
    if declared.base == "tuple":
        for number, (element, part) in enumerate(zip(declared.elements, value, strict=True), 1):
            require_constraint(run, node, part, element, f"{path}.{number}")
        return
    if declared.base in BASES:
        limits = bounds_of(run, declared.bounds)
        if not _is_bounded(limits):
            return
        if not is_static(value) or not all(is_static(limit) for limit in limits.values()):
            run.machine.target.require(satisfied_bounded(value, **limits))
            return
        _require_assigned(run, node, value, declared, path)
        try:
            check_bounded(value, **limits)
        except ValueError as error:
            raise StanRejectError(f"`{node.name.text}`: {error}", node.span) from error
        return
    transform = TRANSFORMS[declared.base]
    rank = 2 if declared_type(declared).base.endswith("matrix") else 1
    elements = value.reshape(-1, *np.shape(value)[-rank:])
    if is_static(value):
        _require_assigned(run, node, value, declared, path)
        for element in elements:
            try:
                transform.check(element)
            except ValueError as error:
                raise StanRejectError(f"`{node.name.text}`: {error}", node.span) from error
    elif len(elements):
        run.machine.target.require(jnp.all(jax.vmap(transform.satisfied)(elements)))


def _require_assigned(run: Run, node: Declaration, value: Any, declared: SizedType, path: str) -> None:
    """A known value that has to satisfy a constraint must be there."""
    missing = np.argwhere(is_unassigned(value))
    if not len(missing):
        return
    name, program = node.name.text, run.checked.program
    blocks = {
        "transformed data variable": program.transformed_data,
        "transformed parameter": program.transformed_parameters,
        "generated quantity": program.generated_quantities,
    }
    kind, block = next(
        ((kind, block) for kind, block in blocks.items() if block is not None and node in block.statements),
        ("variable", None),
    )
    statements = [each for each in block.statements if not isinstance(each, Declaration)] if block else []
    is_assigned = node.value is not None or any(name in assigned(statement) for statement in statements)
    doubt = ", or only one computed from a variable that has none" if is_assigned else ""
    at = f"[{', '.join(str(index + 1) for index in missing[0])}]" if missing.shape[1] else ""
    what = print_constraint(declared)
    raise StanRejectError(
        f"{kind} `{name}{path}{at}` was never assigned a value{doubt}, so its constraint {what} is not met", node.span
    )


def _is_bounded(limits: dict[str, Any]) -> bool:
    return "lower" in limits or "upper" in limits
