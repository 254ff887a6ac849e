"""Products with the Hessian of a density on the host, compiled when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.grouped import GroupedProgram
from pathfinder._density.kept_programs import kept
from pathfinder._density.programs import GRADIENTS_PER_GROUP, MEMORY, host_processor
from pathfinder._density.stored import Kept, entry_of, traceable


class ProductPrograms:
    """The log density, its gradient and products with its Hessian, for each number of vectors that it is asked for.

    Args:
        data: Shapes and types of the data.
        function: `function(position, data)`, the log density at one point.
        dim: Number of unconstrained parameters.
        dtype: Their floating-point type.
        num_fits: How many data sets there are, on the leading axis of the data, or None for one without that axis.
        memory: Bytes of intermediate results of one evaluation.
        kept_in: Where programs are kept for other processes.
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
        self._data, self._function, self._dim, self._dtype = data, function, dim, dtype
        self._num_fits, self._memory, self._store = num_fits, memory, kept_in and kept_in.store
        self._programs: dict[int, GroupedProgram] = {}

    def __call__(
        self,
        positions: Float[np.ndarray, "n dim"],
        fits: Int[np.ndarray, " n"] | None,
        probes: Float[np.ndarray, "probe dim"],
        data: Any,
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dim"], Float[np.ndarray, "n probe dim"]]:
        """Log densities, gradients and products.

        Args:
            positions: The points.
            fits: The data set of each; None if there is only one.
            probes: The vectors.
            data: The data as arrays of JAX.
        """
        if len(probes) not in self._programs:
            self._programs[len(probes)] = self._made(len(probes))
        return self._programs[len(probes)]((positions, fits), (data, probes))

    def _made(self, num_probes: int) -> GroupedProgram:
        device = host_processor()
        point = (
            jax.ShapeDtypeStruct((self._dim,), self._dtype),
            None if self._num_fits is None else jax.ShapeDtypeStruct((), np.int32),
        )
        shared = (self._data, jax.ShapeDtypeStruct((num_probes, self._dim), self._dtype))
        executable = (self._memory, device.device_kind, "products")
        entry = entry_of(
            (self._function,), self._store, "products", executable,
            self._data, self._dim, self._dtype, self._num_fits, num_probes,
        )  # fmt: skip
        found = GroupedProgram.stored(entry, point, shared, device)
        if found is not None:
            return found
        function = traceable(self._function)

        def products(points, shared):
            data, probes = shared
            positions, fits = points
            density = CompiledDensity(function, self._dim, self._dtype, data, self._num_fits)
            return density.hessian_products(positions, probes, fits)

        return GroupedProgram(products, point, shared, GRADIENTS_PER_GROUP, self._memory, device, entry=entry)


product_programs = kept(ProductPrograms)
