"""Gradients that NUTS takes to 400 effective draws, from where Pathfinder ends and from random starts.

All chains together, the warm-up and the fit included; an effective sample size is the smallest over unconstrained
coordinates, of means or of tails. Run it with `python -m benchmarks.warm_starts`; what is not installed is left out.
"""

import argparse
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import arviz
import blackjax
import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

import pathfinder
from benchmarks.models import eight_schools_noncentered, three_levels
from benchmarks.tables import Table
from pathfinder.interop.samplers.blackjax import run_blackjax


NUM_CHAINS, NUM_DRAWS, WANTED = 4, 1000, 400
TARGET = 0.8
EIGHT_SCHOOLS = {
    "J": 8,
    "y": np.array([28.0, 8, -3, 7, -1, 1, 18, 12]),
    "sigma": np.array([15.0, 10, 16, 11, 9, 11, 10, 18]),
}


class Run(NamedTuple):
    """What a method came to.

    Attributes:
        fit: Gradients of the fit that it started from.
        warmup: Gradients of the warm-up.
        steps: Gradients of sampling.
        draws: On the unconstrained scale.
        divergences: Draws that diverged.
    """

    fit: int
    warmup: int
    steps: int
    draws: np.ndarray
    divergences: int

    @property
    def sizes(self) -> tuple[float, float]:
        """Smallest effective sample sizes of means and of tails."""
        data = arviz.convert_to_dataset({"x": self.draws})
        return tuple(float(arviz.ess(data, method=method)["x"].min()) for method in ("bulk", "tail"))  # type: ignore

    @property
    def rhat(self) -> float:
        """The largest R-hat."""
        return float(arviz.rhat(arviz.convert_to_dataset({"x": self.draws}))["x"].max())

    @property
    def gradients(self) -> float:
        """Gradients until the effective sample size is what is wanted."""
        return self.fit + self.warmup + self.steps * WANTED / min(self.sizes)


def regression() -> pathfinder.Model:
    """A linear regression with 48 covariates whose neighbours correlate by 0.97."""
    rng = np.random.default_rng(0)
    x = np.empty((200, 48))
    x[:, 0] = rng.normal(size=200)
    for column in range(1, 48):
        x[:, column] = 0.97 * x[:, column - 1] + np.sqrt(1 - 0.97**2) * rng.normal(size=200)
    y = 1.0 + x @ rng.normal(0, 0.5, 48) + rng.normal(size=200)

    def log_density(params, data):
        mean = params["alpha"] + data["x"] @ params["beta"]
        prior = dist.Normal(0, 5).log_prob(params["alpha"]) + dist.Normal(0, 1).log_prob(params["beta"]).sum()
        likelihood = dist.Normal(mean, params["sigma"]).log_prob(data["y"]).sum()
        return prior + dist.HalfNormal(2).log_prob(params["sigma"]) + likelihood

    return pathfinder.Model.from_log_density(
        log_density,
        {"alpha": 0.0, "beta": np.zeros(48), "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={"x": x, "y": y},
        name="regression",
    )


def two_modes() -> pathfinder.Model:
    """A mixture of two normals in ten dimensions: one has a twentieth of the mass, and as many random starts."""

    def log_density(x):
        heavy, light = (-0.5 * jnp.sum((x - mean) ** 2) for mean in (3.0, -3.0))
        return jnp.logaddexp(np.log(0.95) + heavy, np.log(0.05) + light)

    return pathfinder.Model.from_log_density(log_density, np.zeros(10), name="two modes")


MODELS: dict[str, Callable[[], pathfinder.Model]] = {
    "regression, 50 parameters": regression,
    "three levels, 41 parameters": lambda: three_levels.model(three_levels.simulated(np.random.default_rng(1))),
    "eight schools, 10 parameters": lambda: eight_schools_noncentered.model(EIGHT_SCHOOLS),
}


def adapted(
    model: pathfinder.Model,
    seed: int,
    num_warmup: int,
    *,
    dense: bool = False,
    from_fit: bool = False,
    chains: int = NUM_CHAINS,
    **options: Any,
) -> Run:
    """NUTS with Stan's windows of adaptation, from random starts or from the draws of a fit."""
    if from_fit:
        fitted = pathfinder.fit(model, seed=seed, progress=False, **options)
        starts, cost = fitted.initial_positions(chains, seed=seed), fitted.num_gradients
    else:
        starts, cost = np.random.default_rng(seed).uniform(-2, 2, (chains, model.dim)), 0
    draws, steps, diverging, warmup = _adapted(
        model.density,
        num_warmup,
        dense,
        jax.random.split(jax.random.key(seed), chains),
        jnp.asarray(starts),
        model.data,
    )
    return Run(cost, int(warmup), int(steps), np.asarray(draws), int(diverging))


@partial(jax.jit, static_argnums=(0, 1, 2))
def _adapted(density, num_warmup, dense, keys, starts, data):
    def log_density(position):
        return density(position, data)

    def of_chain(key, start):
        key_of_warmup, key_of_draws = jax.random.split(key)
        adaptation = blackjax.window_adaptation(
            blackjax.nuts,
            log_density,
            is_mass_matrix_diagonal=not dense,
            target_acceptance_rate=TARGET,
            adaptation_info_fn=lambda state, info, adaptation: info.num_integration_steps,
        )
        (state, parameters), taken = adaptation.run(key_of_warmup, start, num_warmup)
        step = blackjax.nuts(log_density, **parameters).step

        def one(state, key):
            state, info = step(key, state)
            return state, (state.position, info.num_integration_steps, info.is_divergent)

        _, (draws, steps, diverging) = jax.lax.scan(one, state, jax.random.split(key_of_draws, NUM_DRAWS))
        return draws, steps.sum(), diverging.sum(), taken.sum()

    draws, *sums = jax.vmap(of_chain)(keys, starts)
    return draws, *(own.sum() for own in sums)


def warm(
    model: pathfinder.Model,
    seed: int,
    num_warmup: int = 75,
    kind: Any = "auto",
    chains: int = NUM_CHAINS,
    **options: Any,
) -> Run:
    """NUTS from where a fit ends."""
    fitted = pathfinder.fit(model, seed=seed, progress=False, **options)
    start = fitted.warm_start(chains, kind, seed=seed)
    draws, statistics, taken = run_blackjax(
        model.density, model.data, start.positions, start.inverse_mass_matrix, start.step_size,
        jax.random.key(seed), num_warmup, NUM_DRAWS, TARGET,
    )  # fmt: skip
    steps, diverging = int(statistics["n_steps"].sum()), int(statistics["diverging"].sum())
    return Run(fitted.num_gradients, taken, steps, draws, diverging)


def nutpie(model: pathfinder.Model, seed: int) -> Run:
    """Nutpie with a metric of low rank, from random starts."""
    from pathfinder._results.warm_start import value_and_gradient_of
    from pathfinder.interop.samplers.nutpie import run_nutpie

    starts = np.random.default_rng(seed).uniform(-2, 2, (NUM_CHAINS, model.dim))
    draws, statistics, taken = run_nutpie(starts, value_and_gradient_of(model), seed, 100, NUM_DRAWS, TARGET)
    return Run(0, taken, int(statistics["n_steps"].sum()), draws, int(statistics["diverging"].sum()))


METHODS: dict[str, Callable[[pathfinder.Model, int], Run]] = {
    "default: 1000 steps, diagonal": lambda model, seed: adapted(model, seed, 1000),
    "default, dense": lambda model, seed: adapted(model, seed, 1000, dense=True),
    "100 steps, diagonal": lambda model, seed: adapted(model, seed, 100),
    "Pathfinder's points, 100 steps, diagonal": lambda model, seed: adapted(model, seed, 100, from_fit=True),
    "warm start, diagonal": lambda model, seed: warm(model, seed, kind="diagonal"),
    "**warm start**": warm,
    "warm start, 50 steps": lambda model, seed: warm(model, seed, 50),
}
if find_spec("nutpie") is not None:
    METHODS["nutpie, low rank, 100 steps"] = nutpie


def savings(name: str, num_repeats: int) -> Table:
    """The table of one model; medians over seeds."""
    model = MODELS[name]()
    rows, default = [], 0.0
    for method, run in METHODS.items():
        runs = [run(model, seed) for seed in range(1, num_repeats + 1)]
        gradients = float(np.median([own.gradients for own in runs]))
        default = default or gradients
        bulk, tail = np.median([own.sizes for own in runs], axis=0)
        counts = np.median([(own.fit, own.warmup, own.steps / (NUM_CHAINS * NUM_DRAWS)) for own in runs], axis=0)
        rhat, divergences = np.median([(own.rhat, own.divergences) for own in runs], axis=0)
        rows.append(
            [
                method,
                f"{counts[0]:,.0f}",
                f"{counts[1]:,.0f}",
                f"{counts[2]:.1f}",
                f"{bulk:.0f} / {tail:.0f}",
                f"{rhat:.3f}",
                f"{divergences:.0f}",
                f"{gradients:,.0f}",
                f"{default / gradients:.1f}",
            ]  # fmt: skip
        )
        print(" ".join(rows[-1]), flush=True)
    header = ["method", "fit", "warm-up", "steps per draw", "ESS", "R-hat", "divergences", "gradients", "saving"]
    return Table(name, header, rows)


def shares(num_repeats: int, chains: int = 20) -> Table:
    """How much of the draws is in the light mode of a mixture, where it has a twentieth of the mass."""
    model = two_modes()
    methods: dict[str, Callable[[int], Run]] = {
        "random starts, 1000 steps": lambda seed: adapted(model, seed, 1000, chains=chains),
        "Pathfinder's points, 100 steps": lambda seed: adapted(
            model, seed, 100, from_fit=True, chains=chains, num_paths=8
        ),
        "warm start": lambda seed: warm(model, seed, chains=chains, num_paths=8),
    }
    rows = []
    for method, run in methods.items():
        runs = [run(seed) for seed in range(1, num_repeats + 1)]
        found = [float(np.mean(own.draws.mean(axis=-1) < 0)) for own in runs]
        spent = np.median([own.fit + own.warmup for own in runs])
        rows.append([method, f"{np.mean(found):.3f}", f"{min(found):.2f} to {max(found):.2f}", f"{spent:,.0f}"])
    header = ["method", "share (0.05)", "of seeds", "gradients of warm-up and fit"]
    return Table("two modes, 10 parameters, 20 chains", header, rows)


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="seeds of each method")
    parser.add_argument("--model", choices=[*MODELS, "two modes"], help="one of them alone")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    for name in MODELS if arguments.model is None else {arguments.model} & set(MODELS):
        print(savings(name, arguments.repeats).render(arguments.markdown))
    if arguments.model in (None, "two modes"):
        print(shares(arguments.repeats).render(arguments.markdown))


if __name__ == "__main__":
    main()
