"""A log density with its data, evaluated at many points: the only place that differentiates a user's function."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from pathfinder._arrays.namespace import Array, rows
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.kept_programs import kept, without_leading_axis
from pathfinder._density.stored import traceable
from pathfinder._density.work import operations


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CompiledDensity:
    """A density to fit, or many of the same form.

    An argument of compiled programs, which are shared by all data of the same shapes.

    Args:
        function: `function(position, data)`, the log density at one point.
        dim: Number of unconstrained parameters.
        dtype: Their floating-point type.
        data: Data of the function, with a leading axis of length `num_fits` if that is not None.
        num_fits: How many data sets there are to fit, or None for one without a leading axis.
    """

    function: Callable[[Array, Any], Array] = field(metadata={"static": True})
    dim: int = field(metadata={"static": True})
    dtype: Any = field(metadata={"static": True})
    data: Any = None
    num_fits: int | None = field(default=None, metadata={"static": True})

    def values(
        self, positions: Float[Array, "lane *points dim"], fits: Int[Array, " lane"] | None = None
    ) -> Float[Array, "lane *points"]:
        """Log densities at the points of every lane.

        Args:
            positions: The points.
            fits: The fit that each lane is about; None if lanes are ordered by fit, as many of each.
        """
        return self._everywhere(self.function, positions, fits)

    def values_and_gradients(
        self, positions: Float[Array, "lane *points dim"], fits: Int[Array, " lane"] | None = None
    ) -> tuple[Float[Array, "lane *points"], Float[Array, "lane *points dim"]]:
        """Log densities and their gradients; arguments as of `values`."""
        return self._everywhere(jax.value_and_grad(self.function), positions, fits)

    @jax.jit
    def hessian_products(
        self,
        positions: Float[Array, "lane dim"],
        probes: Float[Array, "probe dim"],
        fits: Int[Array, " lane"] | None = None,
    ) -> tuple[Float[Array, " lane"], Float[Array, "lane dim"], Float[Array, "lane probe dim"]]:
        """Log densities, gradients, and products of the Hessians with vectors that all lanes share.

        Args:
            positions: The points.
            probes: The vectors.
            fits: As of `values`.
        """

        def with_products(point, data):
            value_and_gradient = jax.value_and_grad(lambda own: self.function(own, data))
            (value, gradient), derivative = jax.linearize(value_and_gradient, point)
            return value, gradient, over_lanes(lambda probe: derivative(probe)[1])(probes)

        return self._everywhere(with_products, positions, fits)

    @property
    def has_products(self) -> bool:
        """Whether there are products with the Hessian."""
        return True

    @property
    def traced_function(self) -> Callable[[Array, Any], Array]:
        """`function(position, data)` as JAX can trace it."""
        return traceable(self.function)

    @property
    def data_of_fit(self) -> Any:
        """The data of a single data set."""
        return self.data

    def of_fit(self, fit: Any) -> CompiledDensity:
        """The density of one fit; itself if there is only one."""
        if self.num_fits is None:
            return self
        return dataclasses.replace(self, data=rows(self.data, fit), num_fits=None)

    def of_fits(self, fits: Int[np.ndarray, " fit"]) -> CompiledDensity:
        """The densities of some fits; itself if there is only one."""
        if self.num_fits is None:
            return self
        return dataclasses.replace(self, data=rows(self.data, fits), num_fits=len(fits))

    @property
    def operations(self) -> float:
        """About how many operations the log density takes at a point, as `work.operations` counts them."""
        return _operations_of(self.data, self.function, self.dim, np.dtype(self.dtype), self.num_fits)

    def arrays(self, tree: Any) -> Any:
        """A pytree with its leaves as arrays of the kind that the density takes and gives."""
        return jax.tree_util.tree_map(jnp.asarray, tree)

    def _everywhere(self, function: Callable[[Array, Any], Any], positions: Array, fits: Any) -> Any:
        def of_lane(points, data):
            if points.ndim == 1:
                return function(points, data)
            return over_lanes(lambda own: of_lane(own, data))(points)

        if self.num_fits is None:
            return over_lanes(lambda points: of_lane(points, self.data))(positions)
        if fits is not None:
            data = jax.tree_util.tree_map(jnp.asarray, self.data)  # NumPy's arrays take no traced index
            return over_lanes(lambda points, fit: of_lane(points, rows(data, fit)))(positions, fits)
        # Mapped over fits and the lanes of each, so that the data are not copied for every lane.
        by_fit = positions.reshape(self.num_fits, -1, *positions.shape[1:])
        results = over_lanes(of_lane)(by_fit, self.data)
        return jax.tree_util.tree_map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), results)


@kept
def _operations_of(
    data: Any, function: Callable[[Array, Any], Array], dim: int, dtype: np.dtype, num_fits: int | None
) -> float:
    own = data if num_fits is None else without_leading_axis(data)
    return operations(jax.make_jaxpr(traceable(function))(jax.ShapeDtypeStruct((dim,), dtype), own).jaxpr)
