"""The normals that a refined pool draws from."""

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import UInt32

from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import Array, namespace
from pathfinder._density.either import Density
from pathfinder._importance.path_draws import PathDraws
from pathfinder._importance.scored_draws import score_draws
from pathfinder._normals.low_rank import LowRankNormal


INFLATION = 1.2  # of the standard deviations of the normals that it adds: proposals should be wider than the target


class Components:
    """The normals of the mixture, with the log densities at their draws; room for a fixed number of them.

    A fixed number, because each new one would compile everything again.
    """

    def __init__(
        self,
        density: Density,
        keys: UInt32[Array, "room 2"],
        placeholder: LowRankNormal,
        source: PathDraws,
        devices: Devices,
    ):
        room = len(keys)
        self.density, self.devices = density, devices
        self.normals = [placeholder] * room
        self.keys = np.array(keys)
        self.counts = np.zeros(room, np.int64)
        self.modes = np.zeros(room, np.int64)
        self.log_p: list[np.ndarray] = [np.zeros(0)] * room
        self.path_source = source
        self._stacked: PathDraws | None = None
        self.num_densities = 0

    def add(self, component: int, mode: int, normal: LowRankNormal, key: np.ndarray | None = None) -> None:
        """Put a normal in its place, with the key of its draws if it has one of its own."""
        self.normals[component], self.modes[component] = normal, mode
        if key is not None:
            self.keys[component] = key
        self._stacked = None

    @property
    def source(self) -> PathDraws:
        """Where the draws of the components come from."""
        if self._stacked is None:
            xp = namespace(self.path_source.approximations)
            stacked = jax.tree_util.tree_map(lambda *leaves: xp.asarray(np.stack(leaves)), *self.normals)
            keys = xp.asarray(self.keys)
            self._stacked = dataclasses.replace(
                self.path_source, approximations=stacked, draw_keys=keys, elbo_keys=keys, num_reused=0
            )
        return self._stacked

    def score(self, components: Sequence[int], count: int) -> None:
        """Evaluate the density at draws of some components."""
        lanes = np.repeat(np.asarray(components), count)
        indices = np.tile(np.arange(count), len(components))
        log_p = score_draws(self.density, self.source, lanes, indices, self.devices, evaluate=True)["log_p"]
        for component, values in zip(components, np.split(log_p, len(components)), strict=True):
            self.log_p[component], self.counts[component] = values, count
        self.num_densities += len(lanes)

    def scored(self) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
        """All draws: component, number and log density of each; log density under its component and the mixture."""
        lanes = np.repeat(np.arange(len(self.counts)), self.counts)
        indices = np.concatenate([np.arange(count) for count in self.counts])
        # In proportion to the draws that each component has: then the mixture is the density that all draws together
        # come from (the balance heuristic), and no draw of a poor component gets a large weight.
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.counts / self.counts.sum())
        scores = score_draws(
            self.density, self.source, lanes, indices, self.devices, evaluate=False, log_weights=log_weights
        )
        return (lanes, indices, np.concatenate(self.log_p)), scores["log_q"], scores["log_mixture"]

    @one_blas_thread()
    def weighted_moments(self, lanes, indices, weights: np.ndarray, present: LowRankNormal) -> LowRankNormal:
        """The normal of the weighted mean and covariance of draws, the latter shrunk towards `present`.

        Draws of a density without end can be so far out that their moments are no covariance in floating point; then
        `present` is all there is to go on with.
        """
        scale, mean = np.asarray(present.scale), np.asarray(present.mean)
        dim = len(mean)
        weights = weights / weights.sum()  # these may be so small that their squares are not
        first, second = np.zeros(dim), np.zeros((dim, dim))
        for rows, positions in self.source.positions(lanes, indices):
            standardized = (positions - mean) / scale
            own = weights[rows]
            first += own @ standardized
            second += (standardized * own[:, None]).T @ standardized
        # A covariance of fewer effective draws than dimensions is nearly singular; `present` counts as `dim` draws.
        effective = 1 / np.sum(weights**2)
        prior = dim / (effective + dim)
        core = np.asarray(present.core)
        covariance = (1 - prior) * (second - np.outer(first, first)) + prior * core @ core.T
        try:
            factor = INFLATION * np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return present
        return LowRankNormal((mean + scale * first).astype(mean.dtype), scale, None, factor.astype(core.dtype))
