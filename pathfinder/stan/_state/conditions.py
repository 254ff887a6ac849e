"""Conditions that are not known from the data, and what they decide: values, the target, rejections."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._state.frame import Frame
from pathfinder.stan._values.contexts import deepest
from pathfinder.stan._values.lanes import (
    Lanes,
    Symbolic,
    aligned,
    array_of,
    context_of,
    entering,
    from_data,
    is_static,
    take,
    wrap,
)
from pathfinder.stan._values.value import Value


class Conditions:
    """Lane by lane one thing or another."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def select(self, mask: Value, if_true: Value, if_false: Value) -> Value:
        """Lane by lane one of two values of the same type."""
        if isinstance(if_true, tuple):
            return tuple(self.select(mask, left, right) for left, right in zip(if_true, if_false, strict=True))
        root = self.frame.root
        context = deepest([context_of(value, root) for value in (mask, if_true, if_false)], root)
        return wrap(jnp.where(*map(entering, aligned([mask, if_true, if_false], context))), context)

    def truth(self, condition: Value) -> Value:
        """Lane by lane whether a number is not zero."""
        return self.select(condition, np.asarray(True), np.asarray(False))

    def negation(self, condition: Value) -> Value:
        """Lane by lane whether a condition does not hold."""
        return self.select(condition, np.asarray(False), np.asarray(True))

    def both(self, left: Value | None, right: Value | None) -> Value | None:
        """Lane by lane whether two conditions hold, of which None is one that always does."""
        if left is None or right is None:
            return right if left is None else left
        root = self.frame.root
        context = deepest([context_of(left, root), context_of(right, root)], root)
        return wrap(jnp.logical_and(*aligned([left, right], context)), context)

    def gate(self, value: Value) -> Value:
        """A value read where the present condition holds: no gradient flows back to it where it does not."""
        if self.frame.mask is None or isinstance(value, Symbolic) or is_static(value):
            return value
        return self.select(self.frame.mask, value, _stopped(value))


class Target:
    """What is added to the log density, and what the point is rejected for."""

    def __init__(self, frame: Frame, conditions: Conditions) -> None:
        self.frame, self.conditions = frame, conditions

    def increment(self, value: Value) -> None:
        """Add the value of every lane of the present context, where the mask holds."""
        frame = self.frame
        if frame.mask is not None:
            value = self.conditions.select(frame.mask, value, 0.0)
        more = self.total(value)
        if is_static(frame.target) and is_static(more):
            frame.target = from_data(frame.target + more, (frame.target, more))
        else:
            frame.target = entering(frame.target) + entering(more)

    def total(self, value: Value) -> Value:
        """Sum over all lanes of the present context and all elements."""
        here = self.frame.context
        context = context_of(value, self.frame.root)
        array = array_of(value)
        module = np if is_static(value) else jnp
        if context is here:
            total = module.sum(array)
        elif context.is_root:
            total = here.size * module.sum(array)
        else:
            # lanes that do not run may hold NaN
            lanes, counts = np.unique(here.lane_of(context), return_counts=True)
            running = array[lanes] if isinstance(array, np.ndarray) else take(array, lanes)
            total = module.sum(module.sum(running.reshape(len(lanes), -1), axis=1) * counts)
        return from_data(total, [array]) if module is np else total

    def require(self, holds: Value) -> None:
        """The point is rejected unless a condition holds in all lanes that run."""
        frame = self.frame
        if frame.mask is not None:
            holds = self.conditions.select(frame.mask, holds, True)
        holds = array_of(holds)
        if not is_static(holds):
            frame.ok = jnp.logical_and(frame.ok, jnp.all(holds))
        elif not np.all(holds):
            frame.ok = False


def _stopped(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(_stopped(element) for element in value)
    if isinstance(value, Lanes):
        return Lanes(jax.lax.stop_gradient(value.array), value.context)
    return jax.lax.stop_gradient(value)
