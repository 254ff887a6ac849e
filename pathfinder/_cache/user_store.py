"""The store of the user of this process: where fits keep their programs for those of other processes."""

import os
import sys
import warnings
from functools import lru_cache
from pathlib import Path

import jax

from pathfinder._cache.file_store import FileStore
from pathfinder._cache.folders import models_folder
from pathfinder._cache.versions import compiler


def user_store(wanted: bool = True) -> FileStore | None:
    """The store; None if there shall be none.

    That is so if the user has given JAX a cache of its own, which then keeps these programs too, or none, which is a
    folder without a name.

    Args:
        wanted: Whether a fit wants one.
    """
    of_jax = jax.config.values
    if not wanted or of_jax["jax_compilation_cache_dir"] is not None or not of_jax["jax_enable_compilation_cache"]:
        return None
    folder = models_folder(sys.platform, os.environ)
    return None if folder is None else _store(folder, compiler(os.environ))


@lru_cache
def _store(folder: Path, surroundings: str) -> FileStore:
    """One store, so that a folder that cannot be written is told of once."""
    return FileStore(folder, lambda text: warnings.warn(text, stacklevel=2), surroundings)
