"""The benchmark of published models: what it measures, and its table."""

import numpy as np
import pytest

from benchmarks import galleries, numpyro_gallery


GALLERY = """
import numpyro
import numpyro.distributions as dist


def partially_pooled(at_bats, hits=None):
    rate = numpyro.sample("rate", dist.Beta(2, 2))
    with numpyro.plate("player", at_bats.shape[0]):
        numpyro.sample("obs", dist.Binomial(at_bats, rate), obs=hits)
"""


def test_distances_are_in_standard_deviations_of_the_reference():
    rng = np.random.default_rng(0)
    reference = {"x": rng.normal(0, 2, (4000, 2)), "fixed": np.ones(4000)}
    draws = {"x": reference["x"] + [2.0, 0.0], "fixed": np.ones(4000), "other": np.zeros(4000)}
    mean, largest = galleries.scaled_distance(draws, reference)
    np.testing.assert_allclose([mean, largest], [0.5, 1.0], rtol=0.05)


def test_models_are_those_of_the_files(tmp_path, monkeypatch):
    (tmp_path / "baseball.py").write_text(GALLERY)
    monkeypatch.setenv("NUMPYRO_EXAMPLES", str(tmp_path))
    case = numpyro_gallery.case("baseball: partially_pooled")
    assert case.function.__name__ == "partially_pooled"
    cost, draws = galleries.fitted(case.model, chains=False)
    assert 0 < cost.later < cost.first
    # The posterior is a beta distribution.
    successes = numpyro_gallery.HITS.sum()
    mean = (successes + 2) / (numpyro_gallery.AT_BATS.sum() + 4)
    np.testing.assert_allclose(draws["rate"].mean(), mean, atol=0.003)
    assert "weights" in cost.about


def test_the_folder_of_the_gallery_is_asked_for(monkeypatch):
    monkeypatch.delenv("NUMPYRO_EXAMPLES", raising=False)
    with pytest.raises(ValueError, match="Set NUMPYRO_EXAMPLES to the folder"):
        numpyro_gallery.case("gp: model")


def test_a_row_has_a_cell_for_each_column():
    costs = {what: [galleries.Cost(2.0, 0.1, "weights"), galleries.Cost(1.0, 0.2, "")] for what in galleries.RUNS}
    draws = {what: {"x": np.arange(10.0)} for what in ("fit", "nuts", "reference")}
    assert galleries.cells(costs, draws) == [
        "1.00", "1.00", "1.00", "1.00", "0.100", "0.000", "0.000", "1.00", "0.000", "0.000", "weights",
    ]  # fmt: skip
