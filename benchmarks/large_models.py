"""Posteriors of many dimensions: a correlated normal, a hierarchical regression, a latent process."""

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder import Model


def low_rank_normal(dim: int = 5000, rank: int = 20, condition: float = 1e4) -> tuple[Model, np.ndarray, np.ndarray]:
    """Normal with a covariance of diagonal plus `rank` wide directions; with its exact mean and standard deviations."""
    rng = np.random.default_rng(1)
    diagonal = 10 ** rng.uniform(0, 1, dim)
    basis = np.linalg.qr(rng.normal(size=(dim, rank)))[0]
    variances = np.logspace(np.log10(condition) / 2, np.log10(condition), rank)
    mean = rng.normal(size=dim)
    # Woodbury: the precision is diagonal minus B (1 / v + B' d^-1 B)^-1 B' with B = d^-1 basis.
    weighted = basis / diagonal[:, None]
    inner = np.linalg.inv(np.diag(1 / variances) + basis.T @ weighted)
    root = np.linalg.cholesky(inner)
    data = {"mean": mean, "precision": 1 / diagonal, "factor": weighted @ root}

    def log_density(x, data):
        centered = x - data["mean"]
        return -0.5 * (jnp.sum(data["precision"] * centered**2) - jnp.sum((centered @ data["factor"]) ** 2))

    sd = np.sqrt(diagonal + basis**2 @ variances)
    return Model.from_log_density(log_density, np.zeros(dim), data=data), mean, sd


def hierarchical_logistic(num_groups: int = 1995, rows_per_group: int = 20) -> Model:
    """Logistic regression with an intercept for each of many groups and three slopes, centered parameterization."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(num_groups), rows_per_group)
    x = rng.normal(size=(len(group), 3))
    intercepts = rng.normal(-0.5, 1.0, num_groups)
    logits = intercepts[group] + x @ np.array([1.0, -0.5, 0.2])
    data = {"x": x, "y": (rng.random(len(group)) < 1 / (1 + np.exp(-logits))).astype(float)}

    def log_density(params, data):
        sd = jnp.exp(params["log_sd"])
        logits = jnp.repeat(params["intercepts"], rows_per_group) + data["x"] @ params["slopes"]
        likelihood = jnp.sum(data["y"] * logits - jnp.logaddexp(0.0, logits))
        standardized = (params["intercepts"] - params["mean"]) / sd
        groups = -0.5 * jnp.sum(standardized**2) - num_groups * params["log_sd"]
        prior = -0.5 * (params["mean"] ** 2 + jnp.sum(params["slopes"] ** 2) + params["log_sd"] ** 2)
        return likelihood + groups + prior

    example = {"intercepts": np.zeros(num_groups), "slopes": np.zeros(3), "mean": 0.0, "log_sd": 0.0}
    return Model.from_log_density(log_density, example, data=data)


def latent_process(num_times: int = 998) -> Model:
    """Poisson counts whose log rate is an autoregression; its coefficient and innovations' scale are parameters."""
    rng = np.random.default_rng(3)
    latent = np.zeros(num_times)
    for t in range(1, num_times):
        latent[t] = 0.9 * latent[t - 1] + 0.3 * rng.normal()
    data = {"counts": rng.poisson(np.exp(1.0 + latent)).astype(float)}

    def log_density(params, data):
        coefficient, sd = jnp.tanh(params["coefficient"]), jnp.exp(params["log_sd"])
        latent = params["latent"]
        innovations = (latent[1:] - coefficient * latent[:-1]) / sd
        start = latent[0] * jnp.sqrt(1 - coefficient**2) / sd
        process = -0.5 * (jnp.sum(innovations**2) + start**2) - num_times * params["log_sd"]
        process = process + 0.5 * jnp.log1p(-(coefficient**2))
        log_rate = 1.0 + latent
        counts = jnp.sum(data["counts"] * log_rate - jnp.exp(log_rate))
        prior = -0.5 * (params["coefficient"] - 1.0) ** 2 - 0.5 * (params["log_sd"] + 1.0) ** 2
        return process + counts + prior

    example = {"latent": np.zeros(num_times), "coefficient": 1.0, "log_sd": -1.0}
    return Model.from_log_density(log_density, example, data=data)


def long_run_of_nuts(model: Model, start: np.ndarray, num_warmup: int, num_draws: int, num_chains: int, seed: int = 0):
    """Unconstrained draws of NumPyro's NUTS, shape (chain, draw, dim)."""
    from numpyro.infer import MCMC, NUTS

    kernel = NUTS(potential_fn=lambda x: -model.density(x, model.data), max_tree_depth=9)
    chains = MCMC(
        kernel, num_warmup=num_warmup, num_samples=num_draws, num_chains=num_chains, chain_method="sequential",
        progress_bar=False,
    )  # fmt: skip
    starts = jnp.asarray(start if num_chains == 1 else np.tile(start, (num_chains, 1)))
    chains.run(jax.random.key(seed), init_params=starts)
    return np.asarray(chains.get_samples(group_by_chain=True)).reshape(num_chains, num_draws, -1)


def stochastic_volatility(num_times: int = 1000) -> Model:
    """Log volatilities that follow a first-order autoregression, seen through returns of mean 0."""
    rng = np.random.default_rng(3)
    coefficient, sd, mean = 0.95, 0.25, -1.0
    states = [mean + sd / np.sqrt(1 - coefficient**2) * rng.normal()]
    for _ in range(num_times - 1):
        states.append(mean + coefficient * (states[-1] - mean) + sd * rng.normal())
    data = {"returns": np.exp(np.array(states) / 2) * rng.normal(size=num_times)}

    def log_density(params, data):
        coefficient, log_sd, mean, states = (params[name] for name in ("coefficient", "log_sd", "mean", "states"))
        slope, sd = jnp.tanh(coefficient), jnp.exp(log_sd)
        innovations = (states[1:] - mean - slope * (states[:-1] - mean)) / sd
        start = (states[0] - mean) * jnp.sqrt(1 - slope**2) / sd
        process = -0.5 * (jnp.sum(innovations**2) + start**2) - num_times * log_sd + 0.5 * jnp.log1p(-(slope**2))
        returns = jnp.sum(-0.5 * states - 0.5 * data["returns"] ** 2 * jnp.exp(-states))
        prior = -0.5 * ((coefficient - 1.5) ** 2 + ((log_sd + 1.5) / 0.7) ** 2 + (mean / 2) ** 2)
        return process + returns + prior

    example = {"coefficient": 1.0, "log_sd": -1.0, "mean": 0.0, "states": np.zeros(num_times)}
    return Model.from_log_density(log_density, example, data=data)


def second_order_walk(num_times: int = 500) -> Model:
    """A smooth log rate with a second-order random walk as its prior, seen through counts."""
    rng = np.random.default_rng(4)
    times = np.linspace(0, 1, num_times)
    data = {"counts": rng.poisson(np.exp(1.5 * np.sin(6 * times) + times + 0.5)).astype(float)}

    def log_density(params, data):
        walk, log_sd = params["walk"], params["log_sd"]
        bends = (walk[2:] - 2 * walk[1:-1] + walk[:-2]) / jnp.exp(log_sd)
        process = -0.5 * jnp.sum(bends**2) - (num_times - 2) * log_sd - 0.5 * jnp.sum((walk[:2] / 3) ** 2)
        counts = jnp.sum(data["counts"] * (walk + 0.5) - jnp.exp(walk + 0.5))
        return process + counts - 0.5 * (log_sd + 5.0) ** 2

    return Model.from_log_density(log_density, {"walk": np.zeros(num_times), "log_sd": -4.0}, data=data)
