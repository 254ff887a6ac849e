"""BLAS on one thread: NumPy's starts several for products that take microseconds, and on a busy machine they wait."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import numpy as np


# OpenBLAS under the names that NumPy's wheels and others' builds give its functions. Other libraries are left alone.
_NAMES = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads")

_lock = Lock()
_users = 0
_before = 0


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it NumPy's BLAS takes a single thread, in the whole process; JAX's and SciPy's are others."""
    global _users, _before
    functions = _thread_functions()
    if functions is None:
        yield
        return
    get, put = functions
    with _lock:
        if _users == 0:
            _before = get()
            put(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                put(_before)


@cache
def _thread_functions() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How to ask for the number of threads of NumPy's BLAS, and to set it; None if it is not OpenBLAS."""
    try:
        # Names are looked up in what the extension module is linked to, too.
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)  # pyright: ignore[reportAttributeAccessIssue]
    except (AttributeError, OSError):
        return None
    for name in _NAMES:
        if hasattr(library, name.format("set")):
            return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return None
