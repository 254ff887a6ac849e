from pathlib import Path

from tests import compilation


compilation.set_up()  # before SciPy and JAX are loaded

import jax  # noqa: E402
import pytest  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402


# Shapes and types are checked as annotated, from when these are first imported. Not those of `LowRankNormal`: JAX makes
# it of whatever the leaves of a tree are, such as flags and shapes, and with leading axes.
install_import_hook(
    [
        "pathfinder._arrays",
        "pathfinder._chains",
        "pathfinder._importance",
        "pathfinder._normals.diagonals",
        "pathfinder._normals.elbo",
        "pathfinder._normals.inverse_hessian",
        "pathfinder._normals.mixture",
        "pathfinder._normals.scoring",
        "pathfinder._optimizer",
        "pathfinder._paths",
        "pathfinder._refinement",
        *("psis." + name for name in ("_diagnostics", "_efficiency", "_gpd", "_resample", "_smooth", "_weights")),
    ],
    "beartype.beartype",
)
jax.config.update("jax_enable_x64", True)

from pathfinder._density.kept_programs import drop_programs  # noqa: E402


# Pieces of memory that a process has mapped, as a measure of what its programs take; Linux allows 65530.
MOST_MAPS = 2_000


@pytest.fixture(autouse=True, scope="module")
def drop_compiled_programs():
    """Thousands of programs take all memory, or more pieces of it than a process may map, and then XLA crashes."""
    yield
    maps = Path("/proc/self/maps")
    if not maps.exists() or len(maps.read_bytes().splitlines()) > MOST_MAPS:
        jax.clear_caches()
        drop_programs()
