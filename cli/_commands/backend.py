"""What JAX computes with: devices, precision, and the cache of compiled programs.

`num_threads=N` becomes N devices of the host (XLA's flag
`--xla_force_host_platform_device_count`), over which the engine spreads paths and draws. What the
user has set in `XLA_FLAGS`, `JAX_PLATFORMS` and JAX's variables of the cache stays as it is.
"""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pathfinder._cache.folders import JAX_VARIABLE, programs_folder, pruned
from pathfinder_cli._arguments.grammar import Engine
from pathfinder_cli._errors import RunError


_DEVICE_COUNT = "--xla_force_host_platform_device_count"
_CACHE_OPTIONS = {  # small programs are most of what is compiled here
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
}
_CACHE_LIMIT = 2**30  # bytes


def available_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_jax(engine: Engine, num_threads: int) -> list[Any]:
    """Import JAX as the options and the environment ask for.

    Args:
        engine: Options, of which `platform` and `precision` count.
        num_threads: Number of threads; not more devices are made than there are processors.

    Returns:
        The JAX devices to compute on.

    Raises:
        RunError: If there is no such platform.
    """
    if engine.platform == "cpu":
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    flags = os.environ.get("XLA_FLAGS", "")
    own_count = _DEVICE_COUNT not in flags
    num_devices = min(num_threads, available_cores())
    if own_count and num_devices > 1:
        os.environ["XLA_FLAGS"] = f"{flags} {_DEVICE_COUNT}={num_devices}".strip()

    import jax

    if engine.platform == "cpu":
        jax.config.update("jax_platforms", os.environ["JAX_PLATFORMS"])  # for when JAX had been imported before
    jax.config.update("jax_enable_x64", engine.precision == "double")
    devices = _devices(jax, None if engine.platform == "auto" else engine.platform)
    return devices[:num_devices] if own_count and devices[0].platform == "cpu" else devices


def _devices(jax: Any, name: str | None) -> list[Any]:
    try:
        return jax.local_devices(backend=name)
    except (RuntimeError, AssertionError) as error:
        if name is None:
            raise RunError(f"Error: JAX finds no device to compute on: {error}") from error
        available = [other for other in ("cpu", "gpu", "tpu") if _is_available(jax, other)]
        restricted = os.environ.get("JAX_PLATFORMS")
        because = f"; the variable JAX_PLATFORMS is set to {restricted}" if restricted else ""
        raise RunError(
            f"Error: engine platform={name} is not available here; available: {', '.join(available)}{because}."
        ) from error


def _is_available(jax: Any, name: str) -> bool:
    try:
        return bool(jax.local_devices(backend=name))
    except (RuntimeError, AssertionError):
        return False


@contextmanager
def compilation_cache() -> Iterator[None]:
    """Keep compiled programs for later runs: where `JAX_COMPILATION_CACHE_DIR` says, or in the user's cache folder.

    A cache that cannot be written is no matter, nor is an entry that cannot be read, as after a
    run that was killed: it is removed and made anew.
    """
    import jax

    folder = os.environ.get(JAX_VARIABLE)
    if folder is None:
        folder = programs_folder(sys.platform, os.environ)
        with suppress(OSError, ValueError):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            pruned(folder, _CACHE_LIMIT)
            jax.config.update("jax_compilation_cache_dir", folder)
    for option, value in _CACHE_OPTIONS.items():
        if option.upper() not in os.environ:
            jax.config.update(option, value)
    with warnings.catch_warnings():
        warnings.filterwarnings("always", message="Error (reading|writing) persistent compilation cache entry")
        warnings.showwarning = _without_cache_warnings(Path(folder), warnings.showwarning)
        yield


def _without_cache_warnings(folder: Path, show: Callable[..., None]) -> Callable[..., None]:
    """A replacement of `warnings.showwarning` that acts on the warnings of the cache instead of showing them."""

    def showwarning(message: Warning | str, *details: Any, **more: Any) -> None:
        text = str(message)
        if "persistent compilation cache entry" not in text:
            show(message, *details, **more)
        elif text.startswith("Error reading"):
            # "... entry for 'jit_advance': ..."; its file is called jit_advance-<key>-cache
            program = text.partition("'")[2].partition("'")[0]
            for entry in folder.glob(f"{program}-*-cache"):
                with suppress(OSError):
                    entry.unlink()

    return showwarning
