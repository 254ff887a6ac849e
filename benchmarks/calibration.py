"""Simulation-based calibration of example programs: are posteriors right on average over data from the prior?

For many parameters drawn from the prior and data simulated from them, the rank of the true value among draws of the
posterior is uniform if the posterior is right (Talts et al., 2018, arXiv:1804.06788). All data sets of a program are
fitted at once by `pathfinder.fit_batch`. Run it with `python -m benchmarks.calibration`.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import pathfinder


EXAMPLES = Path(__file__).parent.parent / "examples"
NUM_BINS = 20
NUM_RANKED = 99  # draws of each posterior that the truth is ranked among

Simulator = Callable[[np.random.Generator], tuple[dict[str, Any], dict[str, Any]]]


class Calibration(NamedTuple):
    """Ranks of one scalar.

    Attributes:
        name: Of the parameter, such as `theta[3]`.
        counts: How many ranks fell in each bin.
        p_value: Of the chi-squared test that they are uniform.
        shift: Where the ranks lie: 0 if uniform; positive if the truth tends to be above the posterior.
        spread: Mean absolute distance of the ranks from the middle in units of that of uniform ranks: above 1 if the
            posterior is too narrow, below 1 if it is too wide.
    """

    name: str
    counts: np.ndarray
    p_value: float
    shift: float
    spread: float


def bernoulli(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters from the prior of bernoulli.stan, and data."""
    theta = rng.beta(1, 1)
    return {"theta": theta}, {"N": 10, "y": rng.binomial(1, theta, 10)}


def eight_schools(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters from the prior of eight_schools_noncentered.stan, and data with the known standard errors."""
    sigma = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    trans, mu, tau = rng.normal(size=8), rng.normal(0, 5), abs(5 * rng.standard_cauchy())
    parameters = {"theta_trans": trans, "mu": mu, "tau": tau}
    return parameters, {"J": 8, "y": rng.normal(mu + tau * trans, sigma), "sigma": sigma}


def poisson_regression(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters from the prior of poisson_regression.stan, and data with standard normal covariates."""
    x = np.random.default_rng(1).normal(size=(40, 2))  # the same for all data sets
    alpha, beta = rng.normal(0, 2), rng.normal(0, 1, 2)
    return {"alpha": alpha, "beta": beta}, {"N": 40, "K": 2, "x": x, "y": rng.poisson(np.exp(alpha + x @ beta))}


PROGRAMS: Mapping[str, Simulator] = {
    "bernoulli": bernoulli,
    "eight_schools_noncentered": eight_schools,
    "poisson_regression": poisson_regression,
}


def calibrate(program: str, num_fits: int, seed: int = 0, **options: Any) -> tuple[list[Calibration], int]:
    """Ranks of the parameters of an example, and how many fits succeeded.

    Args:
        program: Its name.
        num_fits: Number of data sets.
        seed: Of parameters, data and fits.
        **options: Of `pathfinder.fit_batch`.
    """
    rng = np.random.default_rng(seed)
    truths, models = [], []
    for _ in range(num_fits):
        parameters, data = PROGRAMS[program](rng)
        truths.append(parameters)
        models.append(pathfinder.Model.from_stan(EXAMPLES / f"{program}.stan", data))
    stacked = jax.tree_util.tree_map(lambda *leaves: np.stack(leaves), *(model.data for model in models))
    result = pathfinder.fit_batch(models[0], stacked, seed=seed, progress=False, **options)
    succeeded = np.flatnonzero(result.succeeded)
    ranks: dict[str, list[int]] = {}
    for fit in succeeded:
        for name, truth in truths[fit].items():
            draws = np.asarray(result.draws[name][fit]).reshape(result.draws[name].shape[1], -1)
            draws = draws[rng.choice(len(draws), NUM_RANKED, replace=False)]
            below = np.sum(draws < np.ravel(truth), axis=0)
            for element, rank in enumerate(below):
                label = name if np.ndim(truth) == 0 else f"{name}[{element + 1}]"
                ranks.setdefault(label, []).append(int(rank))
    return [_calibration(name, np.array(values)) for name, values in ranks.items()], len(succeeded)


def _calibration(name: str, ranks: np.ndarray) -> Calibration:
    from scipy.stats import chisquare

    counts = np.histogram(ranks, bins=NUM_BINS, range=(0, NUM_RANKED + 1))[0]
    middle = NUM_RANKED / 2
    spread = np.mean(np.abs(ranks - middle)) / ((NUM_RANKED + 1) / 4)
    return Calibration(name, counts, float(chisquare(counts).pvalue), float(np.mean(ranks) / middle - 1), float(spread))


def main() -> None:
    """Print a table for each program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=500, help="data sets per program")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    for program in PROGRAMS:
        results, succeeded = calibrate(program, arguments.fits, arguments.seed)
        print(f"\n{program}: {succeeded} of {arguments.fits} fits succeeded\n")
        print("| parameter | p | shift | spread | ranks in 20 bins |")
        print("| --- | ---: | ---: | ---: | --- |")
        for result in results:
            bins = " ".join(map(str, result.counts))
            print(f"| {result.name} | {result.p_value:.3f} | {result.shift:+.3f} | {result.spread:.2f} | {bins} |")


if __name__ == "__main__":
    main()
