import jax
import pytest
from jaxtyping import install_import_hook


# Shapes and types are checked as annotated, from when these are first imported. Not those of `LowRankNormal`: JAX makes
# it of whatever the leaves of a tree are, such as flags and shapes, and with leading axes.
install_import_hook(
    [
        "pathfinder._arrays",
        "pathfinder._importance",
        "pathfinder._normals.diagonals",
        "pathfinder._normals.elbo",
        "pathfinder._normals.inverse_hessian",
        "pathfinder._normals.mixture",
        "pathfinder._normals.scoring",
        "pathfinder._paths",
        "pathfinder._refinement",
        "psis",
    ],
    "beartype.beartype",
)
jax.config.update("jax_enable_x64", True)


@pytest.fixture(autouse=True, scope="module")
def drop_compiled_programs():
    """A process may map so much memory in so many pieces, and XLA crashes when thousands of programs go beyond it."""
    yield
    jax.clear_caches()
