"""A function of many points, compiled for groups of a fixed number of them."""

from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property
from typing import Any, NamedTuple

import jax
import numpy as np


MOST_AT_ONCE = 16  # groups that are begun before the first is waited for


class GroupedProgram:
    """A function of many points, compiled for groups of a fixed number of them.

    A point is always one of as many, so that its results round alike however many points there are.

    Args:
        function: `function(points, shared)`, where `points` is a tuple of arrays with a leading axis of points (or None
            in place of one); returns a tuple of arrays with that leading axis.
        point: Shapes and types of what belongs to one point.
        shared: Shapes and types of what is the same for all points.
        most: Points of a group.
        memory: Bytes of intermediate results of one group; groups are smaller if the compiled program takes more.
        device: For which it is compiled.
        threads: Where that is done while others go on; None does it when the program is first called.
    """

    def __init__(
        self,
        function: Callable[[Any, Any], tuple[Any, ...]],
        point: Any,
        shared: Any,
        most: int,
        memory: int,
        device: Any,  # jax.Device
        threads: Executor | None = None,
    ):
        self._function, self._point, self._shared = jax.jit(function), point, shared
        self._memory, self._device = memory, device
        leaves = jax.tree_util.tree_leaves(point)
        self._most = _within(memory, most, most * sum(leaf.size * leaf.dtype.itemsize for leaf in leaves))
        # Lowered here, since a thread of its own would not see what this one has set, such as `jax.enable_x64`.
        lowered = self._lowered(self._most)
        self._compiled = lowered.compile if threads is None else threads.submit(lowered.compile).result

    @property
    def size(self) -> int:
        """How many points are evaluated at a time."""
        return self._program.size

    def __call__(self, points: tuple[Any, ...], shared: Any) -> tuple[np.ndarray, ...]:
        """The results for any number of points, but at least one.

        Args:
            points: Arrays of NumPy as of `function`.
            shared: Arrays of JAX.
        """
        size, at_once, compiled = self._program
        count = len(points[0])
        results: tuple[np.ndarray, ...] = ()
        for first in range(0, count, size * at_once):
            begins = range(first, min(first + size * at_once, count), size)
            # All are begun before any is waited for, so that processors share them.
            groups = [compiled(tuple(_group(leaf, begin, size) for leaf in points), shared) for begin in begins]
            for begin, group in zip(begins, groups, strict=True):
                parts = [np.asarray(part) for part in group]
                results = results or tuple(np.empty((count, *part.shape[1:]), part.dtype) for part in parts)
                for result, part in zip(results, parts, strict=True):
                    result[begin : begin + size] = part[: count - begin]
        return results

    def _lowered(self, size: int) -> jax.stages.Lowered:
        points = jax.tree_util.tree_map(lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape), leaf.dtype), self._point)
        with jax.default_device(self._device):
            return self._function.lower(points, self._shared)

    @cached_property
    def _program(self) -> "_Program":
        compiled = self._compiled()
        size = _within(self._memory, self._most, _memory_of(compiled))
        if size < self._most:
            compiled = self._lowered(size).compile()
        at_once = self._memory // max(1, _memory_of(compiled))
        return _Program(size, max(1, min(at_once, MOST_AT_ONCE)), compiled)


class _Program(NamedTuple):
    size: int  # points of a group
    at_once: int  # groups
    compiled: jax.stages.Compiled


def _group(leaf: np.ndarray | None, begin: int, size: int) -> np.ndarray | None:
    """Some rows; after the last one that one again."""
    if leaf is None or begin + size <= len(leaf):
        return None if leaf is None else leaf[begin : begin + size]
    return leaf[np.minimum(np.arange(begin, begin + size), len(leaf) - 1)]


def _memory_of(compiled: jax.stages.Compiled) -> int:
    """Bytes of the intermediate results of a program, and of what it returns."""
    analysis = compiled.memory_analysis()
    return 0 if analysis is None else analysis.temp_size_in_bytes + analysis.output_size_in_bytes


def _within(memory: int, size: int, taken: int) -> int:
    """`size` if the memory that it takes is there, else a power of two, by which blocks of matrices divide."""
    return size if taken <= memory else 2 ** max(0, int(np.log2(size * memory / taken)))
