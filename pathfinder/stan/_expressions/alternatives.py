"""Values whose size depends on a condition on parameters, as `x > 0 ? v : w` for vectors of two sizes.

Both values are kept. What is done with them is done with each of them where its side of the condition holds, until the
results have one size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pathfinder.stan._state.errors import StanEvaluationError, UntraceableError
from pathfinder.stan._state.run import Run
from pathfinder.stan._values.indices import UnknownSizeError
from pathfinder.stan._values.lanes import Symbolic
from pathfinder.stan._values.uneven import element_shape
from pathfinder.stan._values.value import Value


@dataclass(frozen=True, eq=False)
class Alternatives(Symbolic):
    """One of two values, or of more where these are alternatives themselves.

    Attributes:
        truth: Lane by lane whether it is the first.
        if_true: The first.
        if_false: The second.
    """

    truth: Value
    if_true: Value
    if_false: Value

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise UnknownSizeError("the size of a value depends on a condition on parameters, but is needed here")

    __jax_array__ = __array__

    def mapped(self, function: Callable[[Value], Value]) -> Alternatives:
        """With a function applied to both values."""
        return Alternatives(self.truth, function(self.if_true), function(self.if_false))


def selected(run: Run, truth: Value, if_true: Value, if_false: Value) -> Value:
    """Lane by lane one of two values of the same type, which may have different sizes."""
    if if_true is None or if_false is None:
        return None
    if isinstance(if_true, tuple):
        return tuple(selected(run, truth, left, right) for left, right in zip(if_true, if_false, strict=True))
    shape = element_shape(if_true)
    if shape is not None and shape == element_shape(if_false):
        return run.machine.conditions.select(truth, if_true, if_false)
    return Alternatives(truth, if_true, if_false)


def distributed(run: Run, function: Callable[[Sequence[Value]], Value], values: Sequence[Value]) -> Value:
    """A function of values, applied to each alternative where it is the value.

    Where it cannot be applied, since sizes do not fit, points are rejected at which this alternative is the value.

    Raises:
        StanEvaluationError: If it cannot be applied to any.
    """
    chosen = next((value for value in values if isinstance(value, Alternatives)), None)
    if chosen is None:
        return function(values)
    machine = run.machine
    results: list[Any] = []
    failed: StanEvaluationError | None = None
    for is_first, holds in ((True, chosen.truth), (False, machine.conditions.negation(chosen.truth))):
        given = [_side(value, is_first) if _decided(value, chosen.truth) else value for value in values]
        with machine.where(holds):
            restore = run.machine.snapshot(frozenset())
            try:
                results.append(distributed(run, function, [_gated(run, value) for value in given]))
            except UntraceableError:
                raise
            except StanEvaluationError as error:
                restore()
                machine.target.require(False)
                failed = error
    if not results:
        assert failed is not None
        raise failed
    return results[0] if len(results) == 1 else selected(run, chosen.truth, *results)


def _decided(value: Value, truth: Value) -> bool:
    return isinstance(value, Alternatives) and value.truth is truth


def _side(value: Alternatives, is_first: bool) -> Value:
    return value.if_true if is_first else value.if_false


def _gated(run: Run, value: Value) -> Value:
    """No gradient flows back to what is not the value."""
    if isinstance(value, tuple):
        return tuple(_gated(run, part) for part in value)
    return run.machine.conditions.gate(value)
