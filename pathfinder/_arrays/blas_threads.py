"""BLAS on one thread: it starts several for products that take microseconds, and on a busy machine they wait."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController


_lock = Lock()
_users = 0
_limits: list[Any] = []
_with_scipy = False


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it the BLAS of NumPy, and that of SciPy, which is JAX's too, take a single thread in the whole process."""
    global _users, _with_scipy
    with _lock:
        # JAX loads SciPy's when it first runs a program that calls LAPACK, which can be within.
        has_scipy = "scipy.linalg.cython_lapack" in sys.modules
        if _users == 0 or (has_scipy and not _with_scipy):
            _limits.append(_libraries(has_scipy).limit(limits=1, user_api="blas"))
            _with_scipy = has_scipy
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                while _limits:
                    _limits.pop().restore_original_limits()


@cache
def _libraries(has_scipy: bool) -> ThreadpoolController:
    """The libraries that are loaded, looked for again when SciPy's is."""
    return ThreadpoolController()
