"""What compiled programs depend on besides the model: versions, the package's own files, and variables for JAX."""

import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from pathfinder._cache.folders import JAX_VARIABLE, processor


_PACKAGES = ("pathfinder-vi", "numpy", "scipy", "numpyro", "diffrax", "optimistix")


def compiler(environ: Mapping[str, str]) -> str:
    """What executables depend on besides the text of the program that was compiled."""
    variables = sorted(
        (name, value) for name, value in environ.items() if name.startswith(("JAX_", "XLA_")) and name != JAX_VARIABLE
    )
    return repr((processor(), _version("jax"), _version("jaxlib"), variables))


def evaluator() -> str:
    """What the text of a compiled program depends on besides the model."""
    return repr((sys.version, [_version(name) for name in _PACKAGES], list(_own_files())))


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _own_files() -> Iterator[tuple[str, int, int]]:
    """The package's files by size and time: who works on it changes them without a new version."""
    spec = find_spec("pathfinder")
    for root in (spec.submodule_search_locations if spec else None) or []:
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    status = os.stat(path)
                    yield os.path.relpath(path, root), status.st_size, status.st_mtime_ns
