"""BLAS on one thread."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._arrays.namespace import jit_unless_numpy
from tests.pathfinder.plain_fits import run_script


def num_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


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


LOADED_WITHIN = """
    from threadpoolctl import threadpool_info
    from pathfinder._arrays.blas_threads import one_blas_thread
    import sys
    assert "scipy.linalg.cython_lapack" not in sys.modules

    def num_threads():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    with one_blas_thread():
        import scipy.linalg.cython_lapack
        before = num_threads()
        with one_blas_thread():
            within = num_threads()
    print(sorted(within), num_threads() >= before - {1})
"""


def test_a_library_that_is_loaded_within_takes_one_too():
    assert run_script(LOADED_WITHIN).split() == ["[1]", "True"]
