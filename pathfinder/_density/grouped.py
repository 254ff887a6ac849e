"""A function of many points, compiled for groups of a fixed number of them."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import numpy as np

from pathfinder._arrays.traces import calls_back
from pathfinder._density.executables import executable_bytes, loaded_executable, out_of_the_cache_of_jax
from pathfinder._density.stored import Entry


MOST_AT_ONCE = 16  # groups that are begun before the first is waited for


class GroupedProgram:
    """A function of many points, compiled for groups of a fixed number of them.

    A point is always one of as many, so that its results round alike however many points there are. Programs that call
    Python take points one by one: nothing is called for points that only fill up a group, and no thread that waits for
    Python keeps another from it.

    Args:
        function: `function(points, shared)`, where `points` is a tuple of arrays with a leading axis of points (or None
            in place of one); returns a tuple, or a dictionary, of arrays with that leading axis.
        point: Shapes and types of what belongs to one point.
        shared: Shapes and types of what is the same for all points.
        most: Points of a group.
        memory: Bytes of intermediate results of one group; groups are smaller if the compiled program takes more.
        device: For which it is compiled.
        threads: Where that is done while others go on; None does it when the program is first called.
        entry: Where the program is kept when it is compiled; it is for whoever makes this to look there before.
        about: What else is to be kept of it; JSON.
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
        entry: Entry | None = None,
        about: Mapping[str, Any] | None = None,
    ):
        self._function, self._point, self._shared = jax.jit(function), point, shared
        self._memory, self._device, self._entry, self.about = memory, device, entry, about or {}
        leaves = jax.tree_util.tree_leaves(point)
        self._most = _within(memory, most, most * sum(leaf.size * leaf.dtype.itemsize for leaf in leaves))
        # Lowered here, since a thread of its own would not see what this one has set, such as `jax.enable_x64`.
        traced = self._traced(self._most)
        self._calls_back = calls_back(traced.jaxpr.jaxpr)
        if self._calls_back:
            self._most, traced = 1, self._traced(1)
        first = partial(self._made, self._lowered(traced))
        self._first = first if threads is None else threads.submit(first).result
        self._unsaved: Callable[[Any, Any], None] | None = None

    @classmethod
    def stored(cls, entry: Entry | None, point: Any, shared: Any, device: Any) -> "GroupedProgram | None":
        """A program that is kept in a store, which is neither traced nor compiled; None if it is not there."""
        found = None if entry is None else entry.load(lambda about: (_points(point, about["size"]), shared), device)
        if found is None:
            return None
        compiled, about = found
        grouped = object.__new__(cls)
        grouped._program, grouped._unsaved = _Program(about["size"], about["at_once"], compiled), None
        grouped.about = about
        return grouped

    @property
    def size(self) -> int:
        """How many points are evaluated at a time."""
        return self._program.size

    def __call__(self, points: tuple[Any, ...], shared: Any) -> Any:
        """The results for any number of points, but at least one.

        Args:
            points: Arrays of NumPy as of `function`.
            shared: Arrays of JAX.
        """
        size, at_once, compiled = self._program
        count = len(points[0])
        if count <= size and self._unsaved is None:
            group = compiled(tuple([_group(leaf, 0, size) for leaf in points]), shared)
            return jax.tree_util.tree_map(lambda part: np.asarray(part)[:count].copy(), group)
        results: Any = None
        for first in range(0, count, size * at_once):
            begins = range(first, min(first + size * at_once, count), size)
            # All are begun before any is waited for, so that processors share them.
            groups = [compiled(tuple(_group(leaf, begin, size) for leaf in points), shared) for begin in begins]
            for begin, group in zip(begins, groups, strict=True):
                parts = jax.tree_util.tree_map(np.asarray, group)
                if results is None:
                    results = jax.tree_util.tree_map(lambda part: np.empty((count, *part.shape[1:]), part.dtype), parts)
                if self._unsaved is not None:
                    save, self._unsaved = self._unsaved, None
                    save((tuple(_group(leaf, begin, size) for leaf in points), shared), parts)
                for result, part in zip(*map(jax.tree_util.tree_leaves, (results, parts)), strict=True):
                    result[begin : begin + size] = part[: count - begin]
        return results

    def _traced(self, size: int) -> jax.stages.Traced:
        with jax.default_device(self._device):
            return self._function.trace(_points(self._point, size), self._shared)

    def _lowered(self, traced: jax.stages.Traced) -> jax.stages.Lowered:
        with jax.default_device(self._device):
            return traced.lower()

    def _made(self, lowered: jax.stages.Lowered) -> tuple[jax.stages.Lowered, jax.stages.Compiled, Any]:
        """A program with what is known of it if it is stored, else None."""
        entry = None if self._calls_back else self._entry
        found = None
        if entry is not None:
            found = entry.find(lowered, lambda about: (_points(self._point, about["size"]), self._shared), self._device)
        return (lowered, self._compiled(lowered), None) if found is None else (lowered, *found)

    def _compiled(self, lowered: jax.stages.Lowered) -> jax.stages.Compiled:
        if self._calls_back or self._entry is None:
            return lowered.compile()
        with out_of_the_cache_of_jax():
            return lowered.compile()

    @cached_property
    def _program(self) -> "_Program":
        lowered, compiled, about = self._first()
        if about is None:
            size = _within(self._memory, self._most, _memory_of(compiled))
            if size < self._most:
                # What is kept stands in the place of the first, so that that is not compiled another time.
                compiled = self._compiled(self._lowered(self._traced(size)))
        if about is None:
            at_once = 1 if self._calls_back else self._memory // max(1, _memory_of(compiled))
            about = {**self.about, "size": size, "at_once": max(1, min(at_once, MOST_AT_ONCE))}
            if self._entry is not None and not self._calls_back:
                self._unsaved = partial(self._save, lowered, compiled, about)
        return _Program(about["size"], about["at_once"], compiled)

    def _save(self, lowered: jax.stages.Lowered, compiled: jax.stages.Compiled, about: Any, call: Any, result: Any):
        """Store the program if it still gives the result of a call when it is loaded again."""
        content = executable_bytes(compiled, about)
        again = None if content is None else loaded_executable(content, lambda about: call, self._device)
        if content is None or again is None or self._entry is None:
            return
        try:
            parts = jax.tree_util.tree_map(lambda *each: np.array_equal(*each, equal_nan=True), again[0](*call), result)
        except jax.errors.JaxRuntimeError:
            return
        if all(jax.tree_util.tree_leaves(parts)):
            self._entry.save(lowered, content)


class _Program(NamedTuple):
    size: int  # points of a group
    at_once: int  # groups
    compiled: jax.stages.Compiled


def _points(point: Any, size: int) -> Any:
    """Shapes and types of a group."""
    return jax.tree_util.tree_map(lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape), leaf.dtype), point)


def _group(leaf: np.ndarray | None, begin: int, size: int) -> np.ndarray | None:
    """Some rows; after the last one that one again."""
    if leaf is None or begin + size <= len(leaf):
        return None if leaf is None else leaf[begin : begin + size]
    group = np.empty((size, *leaf.shape[1:]), leaf.dtype)
    known = len(leaf) - begin
    group[:known], group[known:] = leaf[begin:], leaf[-1]
    return group


def _memory_of(compiled: jax.stages.Compiled) -> int:
    """Bytes of the intermediate results of a program, and of what it returns."""
    analysis = compiled.memory_analysis()
    return 0 if analysis is None else analysis.temp_size_in_bytes + analysis.output_size_in_bytes


def _within(memory: int, size: int, taken: int) -> int:
    """`size` if the memory that it takes is there, else a power of two, by which blocks of matrices divide."""
    return size if taken <= memory else 2 ** max(0, int(np.log2(size * memory / taken)))
