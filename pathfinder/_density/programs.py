"""The two programs of a density on the host, shared by all data of the same shapes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jaxtyping import Float, Int

from pathfinder._arrays.devices import CPU_PATHS
from pathfinder._arrays.placed import default_dtype, placed
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.grouped import GroupedProgram


MEMORY = 2**26  # bytes of intermediate results of one evaluation
GRADIENTS_PER_GROUP = CPU_PATHS
VALUES_PER_GROUP = 128
MOST_KEPT = 64  # densities whose programs are kept


class DensityPrograms:
    """The batched log density, and the batched log density with its gradient.

    Both are compiled at once, in threads of their own; an evaluation waits for its own program only.

    Args:
        function: `function(position, data)`, the log density at one point; traced once.
        dim: Number of unconstrained parameters.
        dtype: Their floating-point type.
        data: Shapes and types of the data.
        num_fits: How many data sets there are, on the leading axis of the data, or None for one without that axis.
        memory: Bytes of intermediate results of one evaluation.
    """

    def __init__(
        self, function: Callable[[Any, Any], Any], dim: int, dtype: Any, data: Any, num_fits: int | None, memory: int
    ):
        position = jax.ShapeDtypeStruct((dim,), dtype)
        own = data if num_fits is None else jax.tree_util.tree_map(_without_leading_axis, data)
        traced = jax.make_jaxpr(function)(position, own)
        # What the function has closed over is an argument too: large constants are slow to compile, and held twice.
        self._constants = on_cpu(traced.consts)

        def density(shared: Any) -> CompiledDensity:
            data, constants = shared
            flat = jaxpr_as_fun(ClosedJaxpr(traced.jaxpr, constants))

            def one(position, own):
                return flat(position, *jax.tree_util.tree_leaves(own))[0]

            return CompiledDensity(one, dim, dtype, data, num_fits)

        def values_and_gradients(points, shared):
            return density(shared).values_and_gradients(*points)

        def values(points, shared):
            return (density(shared).values(*points),)

        point = (position, None if num_fits is None else jax.ShapeDtypeStruct((), np.int32))
        shared = (data, shapes(self._constants))
        threads = ThreadPoolExecutor(2)
        self._gradients = GroupedProgram(values_and_gradients, point, shared, GRADIENTS_PER_GROUP, memory, threads)
        self._values = GroupedProgram(values, point, shared, VALUES_PER_GROUP, memory, threads)
        threads.shutdown(wait=False)

    def values(
        self, positions: Float[np.ndarray, "n dim"], fits: Int[np.ndarray, " n"] | None, data: Any
    ) -> Float[np.ndarray, " n"]:
        """Log densities.

        Args:
            positions: The points.
            fits: The data set of each; None if there is only one.
            data: The data as arrays of JAX.
        """
        (values,) = self._values((positions, fits), (data, self._constants))
        return values

    def values_and_gradients(
        self, positions: Float[np.ndarray, "n dim"], fits: Int[np.ndarray, " n"] | None, data: Any
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dim"]]:
        """Log densities and their gradients; arguments as of `values`."""
        values, gradients = self._gradients((positions, fits), (data, self._constants))
        return values, gradients

    @property
    def group_sizes(self) -> tuple[int, int]:
        """How many gradients, and how many values, are evaluated at a time."""
        return self._gradients.size, self._values.size


def density_programs(
    function: Callable[[Any, Any], Any], dim: int, dtype: Any, data: Any, num_fits: int | None, memory: int = MEMORY
) -> DensityPrograms:
    """The programs of a density, compiled unless an equal function had data of the same shapes before.

    Args:
        function: As of `DensityPrograms`.
        dim: Likewise.
        dtype: Likewise.
        data: The data as arrays of JAX.
        num_fits: As of `DensityPrograms`.
        memory: Likewise.
    """
    leaves, structure = jax.tree_util.tree_flatten(shapes(data))
    widest = default_dtype()  # single precision while x64 is off
    return _kept(function, dim, np.dtype(dtype), tuple(leaves), structure, num_fits, memory, widest)


@lru_cache(MOST_KEPT)
def _kept(function, dim, dtype, leaves, structure, num_fits, memory, _widest) -> DensityPrograms:
    return DensityPrograms(function, dim, dtype, structure.unflatten(leaves), num_fits, memory)


def drop_programs() -> None:
    """Forget all programs, as `jax.clear_caches` does with those of `jax.jit`."""
    _kept.cache_clear()


def on_cpu(tree: Any) -> Any:
    """Arrays of JAX on the host's first processor."""
    return placed(tree, jax.local_devices(backend="cpu")[0]) if jax.tree_util.tree_leaves(tree) else tree


def shapes(tree: Any) -> Any:
    """Shapes and types of arrays of JAX."""
    return jax.tree_util.tree_map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, weak_type=leaf.weak_type), tree
    )


def _without_leading_axis(leaf: jax.ShapeDtypeStruct) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype)
