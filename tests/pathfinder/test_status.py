import pytest

import pathfinder
from pathfinder import Status


FAILURES = {
    Status.INITIALIZATION_FAILED,
    Status.LINE_SEARCH_FAILED_AT_START,
    Status.NO_FINITE_ELBO,
    Status.INTERRUPTED_AT_START,
}


@pytest.mark.parametrize("status", Status, ids=lambda status: status.name)
def test_every_status_says_what_happened(status):
    assert status.message[0].isupper()
    assert status.message.endswith(".")


def test_messages_differ():
    assert len({status.message for status in Status}) == len(Status)


def test_succeeded_means_that_there_is_an_approximation():
    assert {status for status in Status if not status.succeeded} == FAILURES | {Status.RUNNING}


def test_converged_means_that_a_tolerance_ended_the_path():
    assert {status for status in Status if status.converged} == {
        Status.CONVERGED_OBJECTIVE,
        Status.CONVERGED_RELATIVE_OBJECTIVE,
        Status.CONVERGED_GRADIENT,
        Status.CONVERGED_RELATIVE_GRADIENT,
        Status.CONVERGED_PARAMETERS,
    }
    assert all(status.succeeded for status in Status if status.converged)


def test_a_constant_density_is_told():
    with pytest.warns(UserWarning, match="same at every point"):
        result = pathfinder.fit(lambda x: 0.0 * x, 0.0, seed=1, num_draws=50, refine=False, progress=False)
    assert {path.status for path in result.paths} == {Status.CONSTANT_DENSITY}
    assert "constant density" in repr(result)
