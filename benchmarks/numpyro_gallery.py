"""Models of NumPyro's example gallery, loaded from its files as they are."""

import importlib.util
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from numpyro.infer import MCMC, NUTS

import pathfinder


# Hits of 18 players in their first 45 times at bat (Efron and Morris, 1975), which NumPyro would download.
HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
AT_BATS = np.full(len(HITS), 45)
# Admissions to graduate study at Berkeley (Bickel, Hammel and O'Connell, 1975), likewise.
DEPARTMENTS, MALE = np.repeat(np.arange(6), 2), np.tile([1, 0], 6)
APPLICATIONS = np.array([825, 108, 560, 25, 325, 593, 417, 375, 191, 393, 373, 341])
ADMISSIONS = np.array([512, 89, 353, 17, 120, 202, 138, 131, 53, 94, 22, 24])


class Case(NamedTuple):
    """A model with its arguments."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def model(self) -> pathfinder.Model:
        """The model for Pathfinder."""
        return pathfinder.Model.from_numpyro(self.function, *self.arguments)

    def nuts(self, seed: int, num_chains: int, num_warmup: int, num_samples: int) -> Mapping[str, Any]:
        """Draws of NumPyro's NUTS, latent sites by name."""
        sampler = MCMC(
            NUTS(self.function),
            num_warmup=num_warmup,
            num_samples=num_samples,
            num_chains=num_chains,
            chain_method="sequential",
            progress_bar=False,
        )
        sampler.run(jax.random.key(seed), *self.arguments)
        return jax.block_until_ready(sampler.get_samples())


def folder() -> Path:
    """The folder `examples` of a checkout of NumPyro: $NUMPYRO_EXAMPLES.

    Raises:
        ValueError: If there is none.
    """
    found = os.environ.get("NUMPYRO_EXAMPLES", "")
    if not found or not Path(found).is_dir():
        raise ValueError("Set NUMPYRO_EXAMPLES to the folder `examples` of a checkout of NumPyro.")
    return Path(found)


def case(name: str) -> Case:
    """A model of the gallery by the name of its file and function."""
    file, function = name.split(": ")
    spec = importlib.util.spec_from_file_location(file, folder() / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Case(getattr(module, function), CASES[name](module))


# Names of files and functions, with what gives the arguments.
CASES: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "baseball: partially_pooled": lambda module: (AT_BATS, HITS),
    "baseball: partially_pooled_with_logit": lambda module: (AT_BATS, HITS),
    "ucbadmit: glmm": lambda module: (DEPARTMENTS, MALE, APPLICATIONS, ADMISSIONS),
    "gp: model": lambda module: tuple(map(np.asarray, module.get_data(25)[:2])),
}
