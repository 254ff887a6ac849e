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
    """Within it NumPy's BLAS takes a single thread, in the whole process; SciPy's, which is JAX's too, has its own."""
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
    found = ThreadpoolController()
    # Large matrices of a user's density may take all threads, unless it is the same library that NumPy has.
    own = [library["filepath"] for library in found.info() if "numpy" in library["filepath"]]
    return found.select(filepath=own) if own else found
