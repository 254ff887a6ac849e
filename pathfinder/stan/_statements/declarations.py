"""Declarations, and what a variable holds before anything is assigned to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pathfinder.stan._expressions.alternatives import Alternatives, distributed
from pathfinder.stan._expressions.expressions import concrete_int, evaluate, symbolic
from pathfinder.stan._state.errors import StanEvaluationError, UntraceableError
from pathfinder.stan._state.run import Run, as_type, here
from pathfinder.stan._state.variables import Cell
from pathfinder.stan._statements.assignments import assign_whole, check_shape
from pathfinder.stan._syntax.traversal import mentioned
from pathfinder.stan._syntax.tree import Declaration, SizedType, Variable
from pathfinder.stan._types.types import declared_type
from pathfinder.stan._values.indices import RaggedError
from pathfinder.stan._values.lanes import Lanes, array_of, is_static
from pathfinder.stan._values.steps import Step
from pathfinder.stan._values.value import Value


UNASSIGNED_INT = -(2**31)
_UNASSIGNED_BITS = np.uint32(0x7FC05A4E)  # a NaN that no computation makes, in single precision, too
UNASSIGNED_REAL = float(_UNASSIGNED_BITS.view(np.float32))
_SQUARE = {"cov_matrix", "corr_matrix", "cholesky_factor_corr"}


def declare(run: Run, node: Declaration) -> Cell:
    """A new variable; what is not given a value is NaN."""
    type_ = declared_type(node.type)
    if node.value is None:
        try:
            return run.machine.variables.declare(node.name.text, type_, unassigned(run, node.type))
        except RaggedError:
            if not run.machine.frame.flat_ranges or node.type.base == "tuple":
                raise
            return _declare_padded(run, node)
    if run.remembered(_reads_itself, node):
        declare(run, replace(node, value=None))
    value = as_type(type_, symbolic(run, node.value))
    if isinstance(value, Alternatives):
        cell = run.machine.variables.declare(node.name.text, type_, unassigned(run, node.type))
        target = Variable(node.name.text, span=node.name.span)
        distributed(run, lambda given: assign_whole(run, cell, target, given[0]), [value])
        return cell
    if node.type.base != "tuple" and not isinstance(value, Step):
        with run.at(node):
            check_shape(node.name.text, shape_of(run, node.type), value)
    return run.machine.variables.declare(node.name.text, type_, value)


def _reads_itself(node: Declaration) -> bool:
    """Whether a variable is read, of which there is only the size then, in what it is given as its first value."""
    return node.name.text in mentioned(node.value)


def _declare_padded(run: Run, node: Declaration) -> Cell:
    """A container whose sizes differ between lanes, with room for the largest one in each of them."""
    sizes = [here(run, evaluate(run, size)) for size in (*node.type.dims, *node.type.sizes)]
    if node.type.base in _SQUARE or not all(is_static(size) and np.all(array_of(size) >= 0) for size in sizes):
        raise UntraceableError("a size depends on parameters or is negative", node.span)
    shape = tuple(int(np.max(array_of(size), initial=0)) for size in sizes)
    fill = UNASSIGNED_INT if node.type.base == "int" else UNASSIGNED_REAL
    cell = run.machine.variables.declare(node.name.text, declared_type(node.type), np.full(shape, fill))
    cell.padded = {axis: size for axis, size in enumerate(sizes) if isinstance(size, Lanes)}
    return cell


def shape_of(run: Run, declared: SizedType) -> tuple[int, ...]:
    """Sizes of a declared variable that is no tuple: those of the array, then those of its elements."""
    sizes = (*declared.dims, *declared.sizes)
    shape = tuple(concrete_int(run, size, "a size") for size in sizes)
    for size, node in zip(shape, sizes, strict=True):
        if size < 0:
            raise StanEvaluationError(f"a size is {size}; sizes cannot be negative", node.span)
    square = declared.base in _SQUARE or (declared.base == "cholesky_factor_cov" and len(declared.sizes) == 1)
    return (*shape, shape[-1]) if square else shape


def unassigned(run: Run, declared: SizedType) -> Value:
    """What a variable holds before anything is assigned to it."""
    if declared.base == "tuple":
        dims = tuple(concrete_int(run, size, "a size") for size in declared.dims)
        return tuple(_repeated(unassigned(run, element), dims) for element in declared.elements)
    shape = shape_of(run, declared)
    if declared.base == "int":
        return np.full(shape, UNASSIGNED_INT) if shape else UNASSIGNED_INT
    if declared.base.startswith("complex"):
        return np.full(shape, complex(np.nan, np.nan))[()]
    return np.full(shape, UNASSIGNED_REAL)[()]


def is_unassigned(value: Value) -> np.ndarray:
    """Which elements of a known value, whole or real numbers, hold what `unassigned` gives."""
    array = np.asarray(value)
    if array.dtype.kind == "i":
        return array == UNASSIGNED_INT
    with np.errstate(all="ignore"):
        return np.isnan(array) & (array.astype(np.float32).view(np.uint32) == _UNASSIGNED_BITS)


def _repeated(value: Value, dims: tuple[int, ...]) -> Value:
    if isinstance(value, tuple):
        return tuple(_repeated(element, dims) for element in value)
    return np.array(np.broadcast_to(value, (*dims, *np.shape(value))))[()]
