"""NumPy's BLAS on one thread."""

import ctypes

import numpy as np
import pytest

from pathfinder._arrays import blas_threads
from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._arrays.namespace import jit_unless_numpy


def num_threads():
    functions = blas_threads._thread_functions()
    if functions is None:
        pytest.skip("NumPy's BLAS is not OpenBLAS here")
    return functions[0]()


def test_one_thread_within_and_as_many_as_before_after():
    before = num_threads()
    with one_blas_thread():
        assert num_threads() == 1
        with pytest.raises(ZeroDivisionError), one_blas_thread():
            raise ZeroDivisionError
        assert num_threads() == 1
    assert num_threads() == before


def test_functions_of_the_host_take_one():
    before = num_threads()
    assert jit_unless_numpy()(lambda x: (num_threads(), x))(np.ones(2))[0] == 1
    assert num_threads() == before


def test_other_libraries_are_left_alone(monkeypatch):
    def nothing(path):
        raise OSError(path)

    monkeypatch.setattr(ctypes, "CDLL", nothing)
    blas_threads._thread_functions.cache_clear()
    try:
        with one_blas_thread():
            assert blas_threads._thread_functions() is None
    finally:
        blas_threads._thread_functions.cache_clear()
