"""What XLA compiles for whole fits on the host: the log density, that with its gradient, and what constrains draws."""

import jax.numpy as jnp
import numpy as np

import pathfinder
from pathfinder import Model


NUM_ROWS = 5


def log_density(params, data):
    """A regression with few outcomes and heavy tails, so that the refined pool is adapted."""
    residuals = (data["y"] - data["x"] @ params["slopes"]) / params["scale"]
    prior = 0.5 * jnp.sum(params["slopes"] ** 2) + params["scale"]
    return -jnp.sum(jnp.log1p(residuals**2)) - NUM_ROWS * jnp.log(params["scale"]) - prior


def fitted(params, data):
    return {"fitted": data["x"] @ params["slopes"]}


def model(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((NUM_ROWS, 3))
    return Model.from_log_density(
        log_density,
        {"slopes": np.zeros(3), "scale": 1.0},
        constraints={"scale": pathfinder.constraints.positive},
        data={"x": x, "y": x @ rng.standard_normal(3) + 0.3 * rng.standard_t(2, NUM_ROWS)},
        transformed=fitted,
    )


def test_a_first_fit_compiles_three_programs_and_later_ones_none(compilations):
    first = pathfinder.fit(model(0), seed=0, progress=False)
    _ = first.unconstrained_draws, first.pareto_k
    assert first.refinement is not None
    assert sorted(compilations) == ["jit(values)", "jit(values_and_gradients)"]
    assert np.all(np.isfinite(first.draws["fitted"]))
    assert compilations[2:] == ["jit(variables)"]
    assert first.refinement.num_adapted > 0  # so that rounds of adaptation are among what is counted
    for data, options in (
        (0, {"seed": 1}),
        (1, {"seed": 1}),
        (2, {"seed": 2, "num_paths": 9}),
        (2, {"seed": 3, "num_paths": 5, "num_draws": 300, "num_psis_draws": 400, "proposal": "all"}),
        (3, {"seed": 4, "refine": False, "schedule": "cmdstan", "num_elbo_draws": 40}),
    ):
        later = pathfinder.fit(model(data), progress=False, **options)
        assert np.all(np.isfinite(later.draws["fitted"]))
        assert compilations[3:] == [], (data, options)
