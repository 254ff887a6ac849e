"""The benchmark on hierarchical posteriors: which files belong together, and what draws score."""

import numpy as np
import pytest

import pathfinder
from benchmarks import hierarchical, posteriors
from benchmarks.hierarchical import Posterior


@pytest.mark.skipif(
    posteriors.directory() is None,
    reason="the folder of posteriors is absent (../shared/posteriors, or set PATHFINDER_POSTERIORS)",
)
def test_programs_and_data_are_found_by_the_names_of_the_draws():
    found = hierarchical.all_posteriors()
    assert len(found) == 7
    for posterior in found:
        assert posterior.program.is_file()
        assert posterior.data.is_file()
        assert posterior.draws.shape == (2000, len(posterior.names))


def test_draws_are_scored_in_deviations_of_the_reference_by_name(tmp_path):
    """A shift by one deviation is a distance of one; a parameter that does not vary is left out."""
    reference = np.random.default_rng(0).normal(size=(400, 4)) * np.array([1.0, 10.0, 0.1, 0.0])
    posterior = Posterior("", tmp_path, tmp_path, ["a[1,2]", "a[1,1]", "b", "c"], reference)
    model = pathfinder.Model.from_log_density(
        lambda p: -0.5 * ((p["a"] ** 2).sum() + p["b"] ** 2 + p["c"] ** 2),
        {"a": np.zeros((1, 2)), "b": np.array(0.0), "c": np.array(0.0)},
    )
    deviations = reference.std(axis=0)
    draws = {
        "a": np.stack([reference[:, 1], reference[:, 0] + 3 * deviations[0]], axis=-1)[:, None],
        "b": reference[:, 2],
        "c": np.ones(400),
    }
    np.testing.assert_allclose(posterior.score(model, draws), 1.0)
