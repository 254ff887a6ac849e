"""Which paths of a fit ended in different modes of the density."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace
from pathfinder._density.either import Density


POINTS = 10  # on the segment between two means, both ends left out
VALLEY = 2.0  # nats: how deep the density must dip between two modes


def distinct_modes(
    density: Density,
    means: Float[Array, "fit path dim"],
    elbos: Float[np.ndarray, "fit path"],
) -> tuple[list[list[int]], int]:
    """For each fit, the path with the best ELBO of each mode, best first; and the number of densities evaluated.

    Two paths belong to the same mode unless the log density dips by more than `VALLEY` below both ends, somewhere on
    the segment between the means of their approximations. That needs no scale, and is right in any number of
    dimensions; a curved ridge may be taken for two modes, which costs gradients and pays: in one mixture, the normals
    of both follow it better than one.

    Args:
        density: What was fitted.
        means: Means of the best approximations.
        elbos: Their ELBOs; -inf where a path failed.
    """
    num_fits, num_paths, _ = means.shape
    modes: list[list[int]] = [[int(np.argmax(row))] for row in elbos]
    unassigned = np.isfinite(elbos)
    unassigned[np.arange(num_fits), np.argmax(elbos, axis=1)] = False
    num_densities = 0
    # Each round compares what is left with the newest mode of each fit.
    while unassigned.any():
        newest = np.array([own[-1] for own in modes])
        profile = np.asarray(_profiles(density.arrays(means), newest, density))
        num_densities += num_fits * num_paths * (POINTS + 2)
        unassigned &= _separated(profile)
        for fit in np.flatnonzero(unassigned.any(axis=1)):
            best = int(np.argmax(np.where(unassigned[fit], elbos[fit], -np.inf)))
            modes[fit].append(best)
            unassigned[fit, best] = False
    return modes, num_densities


def _separated(profile: Float[np.ndarray, "fit path point"]) -> Bool[np.ndarray, "fit path"]:
    """Whether there is a valley between the ends; a path whose own mean has no density is no mode."""
    values = np.where(np.isnan(profile), -np.inf, profile)
    lower_end = np.minimum(values[..., 0], values[..., -1])
    return np.isfinite(lower_end) & (values[..., 1:-1].min(axis=-1) < lower_end - VALLEY)


@jit_unless_numpy()
def _profiles(
    means: Float[Array, "fit path dim"], newest: Int[Array, " fit"], density: Density
) -> Float[Array, "fit path point"]:
    """Log density on the segments from the mean of one path of each fit to those of all."""
    xp = namespace(means)
    num_fits, num_paths, dim = means.shape
    shares = xp.linspace(0.0, 1.0, POINTS + 2, dtype=means.dtype)[None, None, :, None]
    origins = means[xp.arange(num_fits), newest][:, None, None, :]
    # Paths that failed have no means, and a function of the host may raise where it is not given numbers.
    ends = xp.where(xp.isfinite(means[:, :, None, :]), means[:, :, None, :], origins)
    points = (1 - shares) * origins + shares * ends
    return density.values(points.reshape(num_fits * num_paths, -1, dim)).reshape(points.shape[:-1])
