"""Models of PyMC's example gallery, taken from its notebooks as they are.

`python -m benchmarks.pymc_gallery` fits them with the Pathfinder of PyMC-extras, to compare with those of
`benchmarks.galleries`.
"""

import ast
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pymc as pm
import pytensor.link.jax.dispatch  # noqa: F401  (which takes a second, like other imports)

import pathfinder


# Notebooks. The data of the first two are in them, those of the last are simulated there.
CASES = {
    "BEST": "case_studies",
    "GLM-hierarchical-binomial-model": "generalized_linear_models",
    "LKJ": "howto",
}
_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEAD = re.compile(r"\A(?:---\n.*?^---\n|(?::\w+:[^\n]*\n)+)", re.MULTILINE | re.DOTALL)


class Case(NamedTuple):
    """A model of PyMC."""

    own: pm.Model

    def model(self) -> pathfinder.Model:
        """The model for Pathfinder."""
        return pathfinder.Model.from_pymc(self.own)

    def nuts(self, seed: int, num_chains: int, num_warmup: int, num_samples: int) -> Mapping[str, Any]:
        """Draws of PyMC's NUTS, free variables by name."""
        with self.own:
            data = pm.sample(
                num_samples,
                tune=num_warmup,
                chains=num_chains,
                cores=1,
                random_seed=seed,
                progressbar=False,
                compute_convergence_checks=False,
            )
        return self._free(data)

    def extras(self, seed: int) -> Mapping[str, Any]:
        """Draws of the Pathfinder of PyMC-extras with its defaults."""
        from pymc_extras import fit_pathfinder

        return self._free(fit_pathfinder(self.own, random_seed=seed, progressbar=False))

    def _free(self, data: Any) -> Mapping[str, Any]:
        stacked = data.posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
        return {variable.name: stacked[variable.name].to_numpy() for variable in self.own.free_RVs}


class _Sampled(Exception):
    """What a notebook is left by, with the model that it was about to sample."""


def folder() -> Path:
    """The folder `examples` of a checkout of pymc-examples: $PYMC_EXAMPLES.

    Raises:
        ValueError: If there is none.
    """
    found = os.environ.get("PYMC_EXAMPLES", "")
    if not found or not Path(found).is_dir():
        raise ValueError("Set PYMC_EXAMPLES to the folder `examples` of a checkout of pymc-examples.")
    return Path(found)


def case(name: str) -> Case:
    """The first model that a notebook samples, by the name of the notebook."""
    return Case(sampled_model((folder() / CASES[name] / f"{name}.myst.md").read_text()))


def sampled_model(notebook: str) -> pm.Model:
    """The model that the cells of a notebook sample first. What they plot may fail, which does not matter.

    Raises:
        ValueError: If nothing is sampled.
    """

    def sample(*_, model=None, **__):
        raise _Sampled(pm.modelcontext(model))

    namespace: dict[str, Any] = {}
    failed = ""
    with patch.object(pm, "sample", sample):
        for cell in _CELL.findall(notebook):
            code = "\n".join(line for line in _HEAD.sub("", cell).splitlines() if not line.startswith(("%", "!")))
            for statement in ast.parse(code).body:
                try:
                    exec(compile(ast.Module([statement], []), "notebook", "exec"), namespace)
                except _Sampled as found:
                    return found.args[0]
                except Exception as error:
                    failed += f"\n{type(error).__name__}: {error}"
    raise ValueError(f"The notebook samples no model.{failed}")


def main() -> None:
    from benchmarks.galleries import REFERENCE_CHAINS, REFERENCE_SAMPLES, WARM_UP, scaled_distance

    for name in CASES:
        own = case(name)
        reference = own.nuts(0, REFERENCE_CHAINS, WARM_UP, REFERENCE_SAMPLES)
        for seed in (1, 2):
            begin = time.process_time()
            draws = own.extras(seed)
            seconds = time.process_time() - begin
            mean, largest = scaled_distance(draws, reference)
            print(f"{name}, seed {seed}: {seconds:.1f} s, W1/sd {mean:.3f}, largest {largest:.3f}", flush=True)


if __name__ == "__main__":
    main()
