"""NumPy's BLAS on one thread."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._arrays.namespace import jit_unless_numpy


def num_threads():
    found = [library for library in threadpool_info() if "numpy" in library["filepath"]]
    if not found:
        pytest.skip("NumPy has no BLAS of its own here")
    return [library["num_threads"] for library in found]


def test_one_thread_within_and_as_many_as_before_after():
    before = num_threads()
    with one_blas_thread():
        assert set(num_threads()) == {1}
        with pytest.raises(ZeroDivisionError), one_blas_thread():
            raise ZeroDivisionError
        assert set(num_threads()) == {1}
    assert num_threads() == before


def test_functions_of_the_host_take_one():
    before = num_threads()
    assert set(jit_unless_numpy()(lambda x: (num_threads(), x))(np.ones(2))[0]) == {1}
    assert num_threads() == before
