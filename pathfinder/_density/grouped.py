"""A function of many points, compiled for groups of a fixed number of them."""

from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property
from typing import Any, NamedTuple

import jax
import numpy as np


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
        threads: Where it is compiled while others go on.
    """

    def __init__(
        self,
        function: Callable[[Any, Any], tuple[Any, ...]],
        point: Any,
        shared: Any,
        most: int,
        memory: int,
        threads: Executor,
    ):
        self._most, self._memory = most, memory
        self._arguments = (function, point, shared)
        # Lowered here, since a thread of its own would not see what this one has set, such as `jax.enable_x64`.
        self._compiling = threads.submit(self._lowered(most).compile)

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
        size, compiled = self._program
        count = len(points[0])
        results: tuple[np.ndarray, ...] = ()
        for begin in range(0, count, size):
            group = slice(begin, min(begin + size, count))
            # The last group is filled up with its last point.
            own = group if begin + size <= count else np.minimum(np.arange(begin, begin + size), count - 1)
            parts = compiled(tuple(None if leaf is None else leaf[own] for leaf in points), shared)
            arrays = [np.asarray(part)[: group.stop - begin] for part in parts]
            results = results or tuple(np.empty((count, *array.shape[1:]), array.dtype) for array in arrays)
            for result, array in zip(results, arrays, strict=True):
                result[group] = array
        return results

    def _lowered(self, size: int) -> jax.stages.Lowered:
        function, point, shared = self._arguments
        points = jax.tree_util.tree_map(
            lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape), leaf.dtype),
            point,
        )
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            return jax.jit(function).lower(points, shared)

    @cached_property
    def _program(self) -> "_Program":
        compiled = self._compiling.result()
        del self._compiling
        analysis = compiled.memory_analysis()
        taken = 0 if analysis is None else analysis.temp_size_in_bytes
        if taken <= self._memory or self._most == 1:
            return _Program(self._most, compiled)
        # At least half as many, and a power of two, by which vector units and blocks of matrices divide.
        size = 2 ** max(0, int(np.log2(self._most * self._memory / taken)))
        return _Program(size, self._lowered(size).compile())


class _Program(NamedTuple):
    size: int
    compiled: jax.stages.Compiled
