"""nutpie begins where it is told, and gives draws by name."""

import numpy as np
import pytest

from pathfinder import Model
from pathfinder._results.warm_start import warm_start_from


nutpie = pytest.importorskip("nutpie")


def test_draws_have_names_and_chains_begin_where_they_are_told():
    model = Model.from_callable(
        lambda x: (-0.5 * np.sum(x**2), -x),
        3,
        constrain=lambda x: {"a": x[0], "b": np.exp(x[1:])},
        dims={"b": ("row",)},
        coords={"row": ["first", "second"]},
    )
    positions = np.array([[50.0, 1.0, 2.0], [-50.0, 1.0, 2.0]])
    found = nutpie.sample(
        warm_start_from(positions, np.eye(3), model).nutpie(),
        chains=2, cores=1, tune=50, draws=20, seed=1, progress_bar=False,
    )  # fmt: skip
    assert found.posterior.b.dims == ("chain", "draw", "row")
    assert list(found.posterior.row.values) == ["first", "second"]
    first = found.warmup_posterior.a[:, 0].values
    assert first[0] > 10 > -10 > first[1]
