"""How many lanes go into one batch, on each kind of device."""

import jax
import numpy as np

from pathfinder._arrays.devices import CPU_PATHS, Devices
from pathfinder._density.either import Density
from pathfinder._density.programs import values_per_group
from pathfinder._settings import Settings


MAX_ROWS = 32  # iterates that a lane makes before they are scored
NUM_FINALISTS = 3  # approximations of a path that leave the race
# Densities evaluated at a time: on a CPU more only fill up partial batches; accelerators take what memory allows.
CPU_DRAWS_PER_BATCH = 800
CPU_LANES_PER_BATCH = 32
CPU_DRAWS_PER_BATCH_OF_FITS = 8000
# On the host no shape is compiled, but what is made of the draws of a batch stays in the cache if they are not so many
# numbers. A group of points that are evaluated together is filled in any case.
HOST_DRAWS_PER_BATCH = 1024
HOST_NUMBERS_PER_BATCH = 2**17
ACCELERATOR_DRAWS_PER_BATCH = 65536


def covariance_history(settings: Settings) -> int:
    """Number of pairs of an approximation."""
    return settings.covariance_history or settings.history_size


def num_kept(settings: Settings) -> int:
    """Number of newest pairs that are kept, for directions and approximations."""
    return max(settings.history_size, covariance_history(settings))


def num_slots(settings: Settings) -> int:
    """Approximations of a lane that are kept."""
    return NUM_FINALISTS if settings.schedule == "race" else 1


def scoring_batch_size(density: Density, settings: Settings, devices: Devices, num_draws: int | None = None) -> int:
    """Lanes per device in one scoring batch, from the dimension and the number of draws of a lane alone.

    That is `num_elbo_draws` unless another one is given.
    """
    num_draws = num_draws or settings.num_elbo_draws
    itemsize = np.dtype(density.dtype).itemsize
    data_bytes = 0
    if density.num_fits is not None:
        leaves = jax.tree_util.tree_leaves(density.data)
        data_bytes = sum(leaf.nbytes // leaf.shape[0] for leaf in leaves)
    per_lane = density.dim * itemsize * 4 * (num_draws + covariance_history(settings)) + data_bytes
    if not devices.is_cpu:
        most = ACCELERATOR_DRAWS_PER_BATCH // num_draws
    elif devices.is_host:
        in_cache = max(HOST_NUMBERS_PER_BATCH // density.dim, values_per_group(density.dim, np.dtype(density.dtype)))
        most = min(HOST_DRAWS_PER_BATCH, in_cache) // num_draws
    elif density.num_fits is not None:
        most = CPU_DRAWS_PER_BATCH_OF_FITS // num_draws
    else:
        most = min(CPU_DRAWS_PER_BATCH // num_draws, CPU_LANES_PER_BATCH)
    return devices.lanes_per_batch(per_lane, max(1, most))


def block_size(density: Density, num_lanes: int, settings: Settings, devices: Devices) -> int:
    """Lanes that are advanced together, on one device."""
    itemsize = np.dtype(density.dtype).itemsize
    # Beyond one approximation from the pairs of the direction, for which there is room among the rows.
    more_pairs = 2 * (num_kept(settings) - settings.history_size)
    more_factors = 2 * (num_slots(settings) * covariance_history(settings) - settings.history_size)
    per_lane = (8 * MAX_ROWS + more_pairs + max(0, more_factors)) * density.dim * itemsize
    if density.num_fits is not None:
        per_fit = num_lanes // density.num_fits
        return per_fit * devices.lanes_per_batch(per_lane * per_fit, -(-density.num_fits // len(devices)))
    if devices.is_cpu and not devices.is_host:
        return CPU_PATHS
    return devices.lanes_per_batch(per_lane, -(-num_lanes // len(devices)))
