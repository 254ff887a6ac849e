"""The devices that lanes of work are spread over, and how much they take at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np


# Lanes on a CPU come in groups of this size, also for a single path: how a batched matrix product rounds depends on the
# number of lanes, and the same seed shall give the same draws for any number of paths.
CPU_PATHS = 4


@dataclass(frozen=True)
class Devices:
    """A row of devices of one platform, each of which takes whole batches of lanes.

    Each runs the very program that a single device would: one that is partitioned over devices can be simplified, and
    so round, differently.
    """

    row: tuple[Any, ...]  # jax.Device, or None alone for the host

    @classmethod
    def choose(cls, devices: Any = None) -> "Devices":
        """The given devices, those of a platform by its name, or all local ones of JAX's default platform.

        Raises:
            ValueError: If it is no list of devices, is empty or mixes platforms, or there are none of the platform.
        """
        given = jax.local_devices() if devices is None else devices
        if isinstance(given, str):
            given = _of_platform(given)
        row = tuple(given) if isinstance(given, Iterable) else (given,)
        for device in row:
            if not isinstance(device, jax.Device):
                raise ValueError(
                    f"`devices` must be a list of JAX devices such as jax.devices()[:2], or the name of a platform "
                    f"such as 'cpu', but it has {device!r}."
                )
        platforms = sorted({device.platform for device in row})
        if len(platforms) != 1:
            raise ValueError(f"`devices` must name devices of one platform, but it has {platforms or 'none'}.")
        return cls(row)

    @classmethod
    def host(cls) -> "Devices":
        """The host itself, where arrays of NumPy are."""
        return cls((None,))

    def __len__(self) -> int:
        return len(self.row)

    @property
    def is_cpu(self) -> bool:
        """Whether these are the host's processors."""
        return self.is_host or self.row[0].platform == "cpu"

    @property
    def is_host(self) -> bool:
        """Whether work is done in NumPy, on arrays that stay where they are."""
        return self.row[0] is None

    def put(self, tree: Any, number: int) -> Any:
        """Arrays placed on one of the devices, counted around the row; on the host they are already."""
        device = self.row[number % len(self.row)]
        return tree if device is None else jax.device_put(tree, device)

    @property
    def memory_budget(self) -> int:
        """Bytes that one batch of lanes may take on one device, a small part of what a device has."""
        return 2**26 if self.is_cpu else 2**30

    def lanes_per_batch(self, bytes_per_lane: int, most: int) -> int:
        """How many lanes go into one batch on one device, from 1 to `most`, within the memory budget."""
        return int(max(1, min(most, self.memory_budget // max(bytes_per_lane, 1))))


def _of_platform(name: str) -> tuple[Any, ...]:
    try:
        return tuple(jax.local_devices(backend=name))
    except RuntimeError as error:
        found = ", ".join(str(device) for device in jax.local_devices())
        raise ValueError(
            f"`devices` is {name!r}, but JAX finds no such platform here; its devices are {found}. Leave it out, "
            "or install JAX for that hardware."
        ) from error


def xla_runs() -> bool:
    """Whether XLA has been started in this process; who asks JAX for its devices starts it."""
    try:
        from jax._src.xla_bridge import backends_are_initialized  # JAX has no public name for this
    except ImportError:
        return False
    return backends_are_initialized()


def on_host(tree: Any) -> Any:
    """A pytree of arrays as one of NumPy's, once they are computed."""
    return jax.tree_util.tree_map(np.asarray, tree)
