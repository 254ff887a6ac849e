"""The two programs of a density on the host, shared by all data of the same shapes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jaxtyping import Float, Int

from pathfinder._arrays.devices import CPU_PATHS
from pathfinder._arrays.placed import placed
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.grouped import GroupedProgram
from pathfinder._density.kept_programs import kept, shapes, without_leading_axis
from pathfinder._density.stored import Kept, entry_of, traceable
from pathfinder._density.uneven import is_uneven
from pathfinder._density.work import operations, work


MEMORY = 2**26  # bytes of intermediate results of one evaluation
GRADIENTS_PER_GROUP = CPU_PATHS
# Of a density of so few operations that a call takes longer than they do, more are evaluated at a time.
GRADIENTS_PER_SMALL_GROUP = 32
OPERATIONS_LIKE_A_CALL = 2**14
VALUES_PER_GROUP = 128
# Of many dimensions few draws are made at a time, and a group that they do not fill is evaluated in vain.
FEWEST_VALUES_PER_GROUP = 8
POINTS_BYTES = 2**21
# Gradients and values of densities that take as long for a group as for the slowest of its points.
UNEVEN_PER_GROUP = 2, 16
# Of many data sets there are many lanes, and a call takes as long as a dozen evaluations of a small density. Each lane
# has its own data, whose copies shall stay in the cache.
MOST_GRADIENTS_PER_GROUP = 64
MOST_VALUES_PER_GROUP = 512
GROUP_BYTES = 2**20


class DensityPrograms:
    """The batched log density, and the batched log density with its gradient.

    Both are compiled at once, in threads of their own; an evaluation waits for its own program only.

    Args:
        data: Shapes and types of the data.
        function: `function(position, data)`, the log density at one point; traced once.
        dim: Number of unconstrained parameters.
        dtype: Their floating-point type.
        num_fits: How many data sets there are, on the leading axis of the data, or None for one without that axis.
        memory: Bytes of intermediate results of one evaluation.
        kept_in: Where they are kept for other processes; None is nowhere.
    """

    def __init__(
        self,
        data: Any,
        function: Callable[[Any, Any], Any],
        dim: int,
        dtype: np.dtype,
        num_fits: int | None,
        memory: int = MEMORY,
        kept_in: Kept | None = None,
    ):
        position = jax.ShapeDtypeStruct((dim,), dtype)
        point = (position, None if num_fits is None else jax.ShapeDtypeStruct((), np.int32))
        device, store = host_processor(), kept_in and kept_in.store
        executable = (memory, device.device_kind, "operations")
        entries = [
            entry_of((function,), store, program, executable, data, dim, dtype, num_fits)
            for program in ("gradients", "values")
        ]
        self._constants: list[Any] = []
        gradients_kept, values_kept = (GroupedProgram.stored(entry, point, (data, []), device) for entry in entries)
        if gradients_kept is not None and values_kept is not None:
            self._gradients, self._values = gradients_kept, values_kept
            self.operations: float = gradients_kept.about["operations"]
            return
        traced = jax.make_jaxpr(traceable(function))(position, data if num_fits is None else without_leading_axis(data))
        if any(isinstance(constant, Tracer) for constant in traced.consts):
            raise jax.errors.UnexpectedTracerError("The function has kept a traced value from an earlier call.")
        # What the function has closed over is an argument too: large constants are slow to compile, and held twice.
        self._constants = on_cpu(traced.consts)
        if self._constants:  # what they are does not follow from the function's key
            entries = [None if entry is None else dataclasses.replace(entry, name=None) for entry in entries]

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

        self.operations = operations(traced.jaxpr)
        shared, threads = (data, shapes(self._constants)), ThreadPoolExecutor(2, "pathfinder-compile")
        num_gradients, num_values = points_per_group(
            dim, dtype, data, num_fits, work(traced.jaxpr), uneven=is_uneven(traced.jaxpr)
        )
        about = {"operations": self.operations}
        self._gradients, self._values = (
            GroupedProgram(program, point, shared, most, memory, device, threads, entry, about)
            for program, most, entry in (
                (values_and_gradients, num_gradients, entries[0]),
                (values, num_values, entries[1]),
            )
        )
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


def points_per_group(
    dim: int, dtype: np.dtype, data: Any, num_fits: int | None, operations: float, *, uneven: bool = False
) -> tuple[int, int]:
    """How many gradients, and how many values, are evaluated at a time, if there is memory for so many.

    Args:
        dim: Number of unconstrained parameters.
        dtype: Their floating-point type.
        data: Shapes and types of the data.
        num_fits: As in `DensityPrograms`.
        operations: Of one evaluation of the density.
        uneven: Whether some points take far longer than others; of many data sets that makes no difference.
    """
    if num_fits is None:
        like_a_call = min(GRADIENTS_PER_SMALL_GROUP, _power_of_two(int(OPERATIONS_LIKE_A_CALL / max(1.0, operations))))
        usual = max(GRADIENTS_PER_GROUP, like_a_call), VALUES_PER_GROUP
        gradients, values = UNEVEN_PER_GROUP if uneven else usual
        return gradients, min(values, values_per_group(dim, dtype))
    leaves = jax.tree_util.tree_leaves(data)
    data_bytes = max(1, sum(leaf.size * leaf.dtype.itemsize for leaf in leaves) // num_fits)
    fitting = [
        min(num_fits, most, GROUP_BYTES // data_bytes) for most in (MOST_GRADIENTS_PER_GROUP, MOST_VALUES_PER_GROUP)
    ]
    powers = [_power_of_two(number) for number in fitting]
    return max(GRADIENTS_PER_GROUP, powers[0]), max(VALUES_PER_GROUP, powers[1])


def values_per_group(dim: int, dtype: np.dtype) -> int:
    """How many values of a density that is not uneven are evaluated at a time, of a single data set."""
    most = _power_of_two(POINTS_BYTES // (dim * dtype.itemsize))
    return min(VALUES_PER_GROUP, max(FEWEST_VALUES_PER_GROUP, most))


def _power_of_two(number: int) -> int:
    """The largest that is not above a number, but at least 1."""
    return 1 << max(0, number.bit_length() - 1)


density_programs = kept(DensityPrograms)


def host_processor() -> Any:
    """The device of JAX that stands for the host's processors."""
    return jax.local_devices(backend="cpu")[0]


def on_cpu(tree: Any) -> Any:
    """Arrays of JAX on the host; JAX need not start for none."""
    return placed(tree, host_processor()) if jax.tree_util.tree_leaves(tree) else tree
