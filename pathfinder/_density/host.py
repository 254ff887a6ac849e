"""A log density with its data, evaluated at many points from the host: arrays of NumPy in and out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float, Int

from pathfinder._density.programs import MEMORY, density_programs, on_cpu
from pathfinder._density.second_order import product_programs
from pathfinder._density.stored import Kept, Store, traceable


OPERATIONS_OF_CALLED = 1e6  # of a function outside of JAX, as if it took a millisecond with its gradient


@runtime_checkable
class Evaluator(Protocol):
    """What evaluates a density at points: compiled programs, or a function outside of JAX."""

    def values(self, positions: Float[np.ndarray, "n dim"], fits: Any, data: Any) -> Float[np.ndarray, " n"]: ...

    def values_and_gradients(
        self, positions: Float[np.ndarray, "n dim"], fits: Any, data: Any
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dim"]]: ...


@dataclass(frozen=True, eq=False)
class HostDensity:
    """A density to fit, or many of the same form, as `CompiledDensity` for what runs on the host.

    It is a leaf of pytrees. Programs are compiled when they are first needed, and shared by data of the same shapes.

    Args:
        function: `function(position, data)`, the log density at one point; or an `Evaluator`.
        dim: Number of unconstrained parameters.
        dtype: Their floating-point type.
        data: Data of the function, with a leading axis of data sets if `num_fits` is not None or `rows` is given.
        num_fits: How many data sets there are to fit, or None for a single one.
        rows: The places on the leading axis of the data that the fits have, or the single one has; None if these are
            all in order, or data have no such axis.
        memory: Bytes of intermediate results that one evaluation may take.
        store: Where programs are kept for other processes; None is nowhere, unless the function brings its own.
    """

    function: Callable[[Any, Any], Any]
    dim: int
    dtype: Any
    data: Any = field(default=None, repr=False)
    num_fits: int | None = None
    rows: Int[np.ndarray, "..."] | None = field(default=None, repr=False)
    memory: int = MEMORY
    store: Store | None = field(default=None, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "data", on_cpu(self.data))

    def values(
        self, positions: Float[np.ndarray, "lane *points dim"], fits: Int[np.ndarray, " lane"] | None = None
    ) -> Float[np.ndarray, "lane *points"]:
        """Log densities at the points of every lane.

        Args:
            positions: The points.
            fits: The fit that each lane is about; None if lanes are ordered by fit, as many of each.
        """
        shape = positions.shape[:-1]
        if positions.size == 0:
            return np.empty(shape, self.dtype)
        return self.evaluator.values(self._flat(positions), self._rows(shape, fits), self.data).reshape(shape)

    def values_and_gradients(
        self, positions: Float[np.ndarray, "lane *points dim"], fits: Int[np.ndarray, " lane"] | None = None
    ) -> tuple[Float[np.ndarray, "lane *points"], Float[np.ndarray, "lane *points dim"]]:
        """Log densities and their gradients; arguments as of `values`."""
        shape = positions.shape[:-1]
        if positions.size == 0:
            return np.empty(shape, self.dtype), np.empty(positions.shape, self.dtype)
        values, gradients = self.evaluator.values_and_gradients(
            self._flat(positions), self._rows(shape, fits), self.data
        )
        return values.reshape(shape), gradients.reshape(positions.shape)

    def hessian_products(
        self,
        positions: Float[np.ndarray, "lane dim"],
        probes: Float[np.ndarray, "probe dim"],
        fits: Int[np.ndarray, " lane"] | None = None,
    ) -> tuple[Float[np.ndarray, " lane"], Float[np.ndarray, "lane dim"], Float[np.ndarray, "lane probe dim"]]:
        """Log densities, gradients, and products of the Hessians with vectors that all lanes share.

        Args:
            positions: The points.
            probes: The vectors.
            fits: As of `values`.

        Raises:
            TypeError: If the density is a function outside of JAX, which has none (`has_products`).
        """
        if self.second_order is None:
            raise TypeError("A log density outside of JAX has no products with its Hessian.")
        rows, probes = self._rows(positions.shape[:-1], fits), np.ascontiguousarray(probes, self.dtype)
        return self.second_order(self._flat(positions), rows, probes, self.data)

    @property
    def has_products(self) -> bool:
        """Whether there are products with the Hessian."""
        return self.second_order is not None

    @cached_property
    def second_order(self) -> Any:
        """`second_order(positions, fits, probes, data)`: what evaluates products; None if the function is not JAX's."""
        if isinstance(self.function, Evaluator):
            return getattr(self.function, "second_order", None)
        dtype, kept_in = np.dtype(self.dtype), Kept(self.store)
        return product_programs(self.data, self.function, self.dim, dtype, self._num_rows, self.memory, kept_in)

    @property
    def traced_function(self) -> Callable[[Any, Any], Any] | None:
        """`function(position, data)` as JAX can trace it; None of a function outside of JAX."""
        if isinstance(self.function, Evaluator):
            return getattr(self.function, "function", None)
        return traceable(self.function)

    @property
    def data_of_fit(self) -> Any:
        """The data of a single data set."""
        return self.data if self.rows is None else jax.tree_util.tree_map(lambda leaf: leaf[self.rows], self.data)

    def of_fit(self, fit: Any) -> HostDensity:
        """The density of one fit, which shares its programs and data; itself if there is only one."""
        if self.num_fits is None:
            return self
        return self._part(np.asarray(fit), None)

    def of_fits(self, fits: Int[np.ndarray, " fit"]) -> HostDensity:
        """The densities of some fits, which share programs and data; itself if there is only one."""
        if self.num_fits is None:
            return self
        return self._part(np.asarray(fits), len(fits))

    @property
    def operations(self) -> float:
        """About how many operations the log density takes at a point, as `work.operations` counts them.

        Of a function outside of JAX nothing is known, and a usual number is taken.
        """
        return getattr(self.evaluator, "operations", OPERATIONS_OF_CALLED)

    def arrays(self, tree: Any) -> Any:
        """A pytree with its leaves as arrays of the kind that the density takes and gives."""
        return jax.tree_util.tree_map(np.asarray, tree)

    def _part(self, fits: np.ndarray, num_fits: int | None) -> HostDensity:
        rows = fits if self.rows is None else self.rows[fits]
        return dataclasses.replace(self, rows=rows, num_fits=num_fits)

    @cached_property
    def evaluator(self) -> Evaluator:
        """What evaluates it; programs are made for the first time here."""
        if isinstance(self.function, Evaluator):
            return self.function
        dtype, kept_in = np.dtype(self.dtype), Kept(self.store)
        return density_programs(self.data, self.function, self.dim, dtype, self._num_rows, self.memory, kept_in)

    @property
    def _num_rows(self) -> int | None:
        """Length of the leading axis of the data, if they have one."""
        return self.num_fits if self.rows is None else jax.tree_util.tree_leaves(self.data)[0].shape[0]

    def _flat(self, positions: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(positions, self.dtype).reshape(-1, self.dim)

    def _rows(self, shape: tuple[int, ...], fits: np.ndarray | None) -> np.ndarray | None:
        """The data set of each of the flat points, by its place on the leading axis of the data."""
        if self.num_fits is None:
            return None if self.rows is None else np.full(shape, self.rows, np.int32).ravel()
        if fits is None:
            fits = np.repeat(np.arange(self.num_fits), shape[0] // self.num_fits)
        rows = fits if self.rows is None else self.rows[fits]
        return np.repeat(np.asarray(rows, np.int32), int(np.prod(shape[1:])))
