"""The folders of what is kept between runs, one for each kind of processor: compiled programs use all it can do."""

import hashlib
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path


JAX_VARIABLE = "JAX_COMPILATION_CACHE_DIR"


def programs_folder(system: str, environ: Mapping[str, str]) -> str:
    """Where JAX keeps what it compiles, unless the user has said so in its own variable."""
    return os.path.join(_base(system, environ), f"xla-{processor()}")


def models_folder(system: str, environ: Mapping[str, str]) -> Path | None:
    """Where Stan programs are kept with their executables; within the folder that the user chose for JAX, if so.

    None if that is said to be nowhere.
    """
    chosen = environ.get(JAX_VARIABLE)
    if chosen is not None:
        return Path(chosen) / f"pathfinder-{processor()}" if chosen else None
    return Path(_base(system, environ)) / f"models-{processor()}"


@cache
def processor() -> str:
    """A short name for what this machine's processor can do."""
    features = platform.processor()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        features += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    digest = hashlib.sha256(features.encode()).hexdigest()[:8]
    return f"{platform.machine() or 'unknown'}-{digest}"


def pruned(folder: str | Path, limit: int) -> None:
    """Remove the oldest files once they take more than so many bytes, until they take half of that."""
    entries = []
    with os.scandir(folder) as found:
        for entry in found:
            with suppress(OSError):  # another process may just have removed it
                entries.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
    entries.sort()
    size = sum(entry_size for _, entry_size, _ in entries)
    if size <= limit:
        return
    for _, entry_size, path in entries:
        if size <= limit // 2:
            return
        with suppress(OSError):
            os.unlink(path)
        size -= entry_size


def _base(system: str, environ: Mapping[str, str]) -> str:
    home = os.path.expanduser("~")
    base = os.path.join(home, "Library", "Caches") if system == "darwin" else os.path.join(home, ".cache")
    if os.path.isabs(environ.get("XDG_CACHE_HOME", "")):
        base = environ["XDG_CACHE_HOME"]
    return os.path.join(base, "pathfinder-vi")
