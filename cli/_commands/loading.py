"""Loading of modules without looking for garbage among them, which would take a third of a short run."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Around the imports of a process that does not have JAX yet; what they make is not looked through later either.

    That counts when the process ends, too, when Python looks through everything several times.
    """
    if "jax" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
