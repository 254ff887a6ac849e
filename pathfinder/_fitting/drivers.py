"""Which driver runs a fit, from its devices and shapes alone: the same seed shall give the same draws at any time."""

from collections.abc import Sequence
from typing import Any

import jax

from pathfinder._arrays.devices import Devices
from pathfinder._cache.user_store import user_store
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.either import Density
from pathfinder._density.host import HostDensity
from pathfinder._density.stored import traceable
from pathfinder._model.model import Model
from pathfinder._settings import Settings


DRIVERS = ("auto", "host", "compiled")
# Numbers in the positions of all lanes from which a compiled step saves more than its compilation takes, in a path of a
# hundred iterations (docs/decisions/host-driver.md).
LARGEST_ON_HOST = 1_000_000


def choose_devices(
    driver: str, devices: Sequence[Any] | str | None, model: Model, num_lanes: int, settings: Settings
) -> Devices:
    """Where a fit runs: on the host, or on devices that its steps are compiled for.

    Args:
        driver: "host", "compiled", or "auto" for the one that is sooner done.
        devices: As in `fit`.
        model: What is fitted.
        num_lanes: Number of paths, of all fits together.
        settings: Options; jaxopt's paths are compiled in any case.

    Raises:
        ValueError: If the driver is not known, or cannot do what is asked.
    """
    if driver not in DRIVERS:
        raise ValueError(f"`driver` must be one of {', '.join(map(repr, DRIVERS))}, but {driver!r} was given.")
    only_called, by_jaxopt = model.is_callable, settings.optimizer == "jaxopt"
    if only_called and (driver == "compiled" or by_jaxopt):
        asked = "driver='compiled'" if driver == "compiled" else "optimizer='jaxopt'"
        raise ValueError(f"{asked} needs a log density in JAX, but that of '{model.name}' is a function of the host.")
    if driver == "host" and by_jaxopt:
        raise ValueError("optimizer='jaxopt' needs driver='compiled': jaxopt's steps are programs of JAX.")
    host_drives = driver == "host" or only_called
    # Who asks JAX for devices starts XLA, which functions of the host can do without.
    chosen = Devices.host() if host_drives and devices is None else Devices.choose(devices)
    if host_drives and not chosen.is_cpu:
        raise ValueError("`devices` has accelerators, but the host is to drive; leave `devices` or `driver` out.")
    is_small = num_lanes * model.dim < LARGEST_ON_HOST
    host_is_sooner = driver == "auto" and chosen.is_cpu and is_small and not by_jaxopt
    return Devices.host() if host_drives or host_is_sooner else chosen


def density_of(model: Model, data: Any, num_fits: int | None, settings: Settings, devices: Devices) -> Density:
    """The density of a model for the driver of some devices.

    Args:
        model: The model.
        data: Data of the density.
        num_fits: How many data sets `data` has on its leading axis, or None for one without that axis.
        settings: Options.
        devices: Where the fit runs.
    """
    dtype = jax.numpy.dtype(model.dtype)
    if devices.is_host:
        memory = settings.density_memory * 2**20
        store = user_store(settings.cache)
        return HostDensity(model.density, model.dim, dtype, data, num_fits=num_fits, memory=memory, store=store)
    return CompiledDensity(traceable(model.density), model.dim, dtype, data, num_fits=num_fits)
