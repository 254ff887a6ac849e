"""A regression whose log density is written in JAX: fitted, judged, and handed over to NUTS.

Run it with `python examples/jax_regression.py`.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

import pathfinder


def log_density(params, data):
    mean = params["level"] + data["x"] @ params["slopes"]
    return (
        norm.logpdf(params["level"], 0.0, 5.0)
        + norm.logpdf(params["slopes"], 0.0, 2.0).sum()
        + norm.logpdf(params["noise"], 0.0, 2.0)
        + norm.logpdf(data["y"], mean, params["noise"]).sum()
    )


def simulated():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 3))
    return {"x": x, "y": 1.0 + x @ [0.5, -1.0, 0.0] + 0.7 * rng.standard_normal(200)}


def main():
    jax.config.update("jax_enable_x64", True)
    example = {"level": 0.0, "slopes": jnp.zeros(3), "noise": 1.0}
    constraints = {"noise": pathfinder.constraints.positive}
    result = pathfinder.fit(log_density, example, data=simulated(), constraints=constraints, seed=1, progress=False)
    print(result)
    print(result.summary())
    chains = pathfinder.sample(result, num_draws=250, seed=1)
    print(chains.posterior["slopes"].mean(("chain", "draw")).values)


if __name__ == "__main__":
    main()
