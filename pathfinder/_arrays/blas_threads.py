"""BLAS on one thread: it starts several for products that take microseconds, and on a busy machine they wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController


_lock = Lock()
_users = 0
_limit: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it the BLAS of NumPy and of SciPy take a single thread, in the whole process; JAX has its own."""
    global _users, _limit
    with _lock:
        if _users == 0:
            _limit = _libraries().limit(limits=1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limit.restore_original_limits()


@cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401 (found only if it is loaded)

    return ThreadpoolController()
