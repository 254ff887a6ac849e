import pytest

from pathfinder._arrays.blas_threads import one_blas_thread


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """For what the tests compute themselves: workers share the processors."""
    with one_blas_thread():
        yield
