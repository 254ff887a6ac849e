"""Where a sampler of Hamiltonian Monte Carlo goes on from a fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from pathfinder._arrays.devices import on_host
from pathfinder._draws.metric import FittedMode, InverseMassMatrix, LowRankMatrix, MatrixKind, inverse_mass_matrix
from pathfinder._draws.named_draws import variables_at
from pathfinder._draws.sampler_starts import sampler_starts
from pathfinder._model.callable_density import CallableDensity
from pathfinder._model.model import Model


NUM_WARMUP = 75  # steps that find a step size where the metric is good
TARGET_ACCEPTANCE = 0.8


@dataclass(frozen=True)
class WarmStart:
    """Where chains start, and the metric with which they go on.

    The methods give what samplers of other libraries take, anew at each call, since some write into it. With it they
    keep the metric, and adapt the step size alone.

    Args:
        positions: Where each chain starts, on the unconstrained scale.
        inverse_mass_matrix: The covariance on that scale: a matrix, its diagonal, or one of low rank.
        step_size: The first step size, which suits a normal with this covariance.
        model: What was fitted.
    """

    positions: Float[np.ndarray, "chain dim"]
    inverse_mass_matrix: np.ndarray | LowRankMatrix
    step_size: float
    model: Model

    @cached_property
    def values(self) -> list[dict[str, np.ndarray]]:
        """Parameters by name where each chain starts."""
        return parameters_at(self.model, self.positions)

    def numpyro(self) -> dict[str, dict[str, Any]]:
        """Arguments of NumPyro: `kernel` of `NUTS`, and `run` of `MCMC.run`.

        Of a model from `Model.from_numpyro` they go with the NumPyro model, `NUTS(model, **start["kernel"])`; of others
        they have a potential of unconstrained vectors, `NUTS(**start["kernel"])`.

        Raises:
            ValueError: If the density is no function of JAX.
        """
        from pathfinder.interop.samplers.numpyro import numpyro_model_start, numpyro_start

        sites = _numpyro_sites(self.model)
        if sites is None:
            potential = negative(log_density_of(self.model))
            return numpyro_start(self.positions, self._array, self.step_size, potential)
        return numpyro_model_start(self.positions, self._array, self.step_size, sites, self.values[0])

    def blackjax(self) -> dict[str, Any]:
        """What BlackJAX takes.

        `positions`, a row for each chain; `parameters`, arguments of `blackjax.nuts` with a step size that has to be
        adapted, as `pathfinder.interop.samplers.blackjax.adapt_step_size` does; and `adaptation`, arguments of
        `blackjax.window_adaptation`, which goes on from the metric.
        """
        from pathfinder.interop.samplers.blackjax import blackjax_start

        return blackjax_start(self.positions, self.inverse_mass_matrix, lambda: self._array, self.step_size)

    def pymc(
        self, model: Any = None, *, num_warmup: int = NUM_WARMUP, target_acceptance: float = TARGET_ACCEPTANCE
    ) -> dict[str, Any]:
        """Arguments of `pymc.sample` for the model of `Model.from_pymc`.

        Args:
            model: The PyMC model; that of the `with` block if None.
            num_warmup: Steps in which the step size is adapted.
            target_acceptance: The acceptance that it is adapted to.

        Raises:
            ValueError: If the model has other free variables than the fit.
        """
        from pathfinder.interop.samplers.pymc import pymc_start

        return pymc_start(self.values, self._array, num_warmup, target_acceptance, model)

    def nutpie(self) -> Any:
        """A model for `nutpie.sample` with these positions, whose draws have the names of the variables.

        nutpie takes no metric: it makes one of the gradients that it finds.
        """
        from pathfinder.interop.samplers.nutpie import nutpie_model

        model = self.model
        variables = [variable for variable in model.variables if variable.block != "generated quantities"]
        return nutpie_model(
            self.positions,
            value_and_gradient_of(model),
            model.constrain,
            {variable.name: variable.shape for variable in variables},
            {variable.name: variable.dims for variable in variables if variable.dims is not None},
            model.coords,
        )

    def cmdstanpy(
        self, *, num_warmup: int = NUM_WARMUP, target_acceptance: float = TARGET_ACCEPTANCE
    ) -> dict[str, Any]:
        """Arguments of CmdStanPy's `CmdStanModel.sample`, for the program of `Model.from_stan`.

        Args:
            num_warmup: Steps in which the step size is adapted.
            target_acceptance: The acceptance that it is adapted to.
        """
        from pathfinder.interop.samplers.cmdstan import cmdstanpy_start

        return cmdstanpy_start(self._file_values, self._array, self.step_size, num_warmup, target_acceptance)

    def write_cmdstan(
        self,
        folder: Any,
        *,
        num_warmup: int = NUM_WARMUP,
        target_acceptance: float = TARGET_ACCEPTANCE,
        executable: str | None = None,
        data_file: str = "",
    ) -> str:
        """Write CmdStan's files: `init_1.json`, one for each chain, and `metric.json`.

        Args:
            folder: Where to; made if it is not there.
            num_warmup: Steps in which the step size is adapted.
            target_acceptance: The acceptance that it is adapted to.
            executable: The program that CmdStan has compiled, for the command; by default by the name of the model.
            data_file: File of the data, for the command.

        Returns:
            The command that runs CmdStan with these files.

        Raises:
            OSError: If they cannot be written.
        """
        from pathfinder.interop.samplers.cmdstan import write_cmdstan_start

        return write_cmdstan_start(
            folder, self._file_values, self._array, self.step_size, num_warmup, target_acceptance,
            executable or f"./{self.model.name}", data_file,
        )  # fmt: skip

    @property
    def _array(self) -> np.ndarray:
        matrix = self.inverse_mass_matrix
        return matrix.to_dense() if isinstance(matrix, LowRankMatrix) else matrix.copy()

    @property
    def _file_values(self) -> list[dict[str, Any]]:
        return [file_values(self.model, own) for own in self.values]


def _numpyro_sites(model: Model) -> list[tuple[str, tuple[int, ...]]] | None:
    """Names and unconstrained shapes of the sites of a NumPyro model, in the order of its vectors; None of others."""
    parts = getattr(getattr(model.density, "program", None), "parts", None)
    return None if parts is None else [(part.name, part.unconstrained_shape) for part in parts]


def warm_start_from(
    positions: Float[np.ndarray, "chain dim"], matrix: np.ndarray | LowRankMatrix, model: Model
) -> WarmStart:
    """A warm start with the step size that is stable for a normal with this covariance, whatever its dimension."""
    return WarmStart(positions, matrix, float(model.dim**-0.25), model)


def log_density_of(model: Model) -> Callable[[Any], Any]:
    """The log density of a position as a function of JAX.

    Raises:
        ValueError: If it is none.
    """
    if model.is_callable:
        raise ValueError(
            f"The log density of {model.name} is a function outside of JAX, which samplers that are compiled cannot "
            'call. nutpie can: give pathfinder.sample the argument library="nutpie".'
        )
    return lambda position: model.density(position, model.data)


def negative(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Minus a function."""
    return lambda position: -function(position)


def value_and_gradient_of(model: Model) -> Callable[[np.ndarray], Any]:
    """The log density of a position with its gradient, as a function of NumPy's arrays."""
    if isinstance(density := model.density, CallableDensity):
        return lambda position: [own[0] for own in density.values_and_gradients(position[None], None, None)]
    compiled = jax.jit(jax.value_and_grad(model.density))
    return lambda position: compiled(np.asarray(position, model.dtype), model.data)


def parameters_at(model: Model, positions: Float[np.ndarray, "chain dim"]) -> list[dict[str, np.ndarray]]:
    """Parameters by name at each of some positions."""
    names = [variable.name for variable in model.parameters]
    if model.is_callable:
        each = [model.constrain(position) for position in positions]
        return [{name: np.asarray(own[name]) for name in names} for own in each]
    together = variables_at(model, positions)
    return [{name: together[name][row] for name in names} for row in range(len(positions))]


def file_values(model: Model, values: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Parameters as files of CmdStan give them: complex numbers as pairs, tuples as objects."""
    members: dict[str, Any] = {}
    for part in model.parts:
        array = np.zeros(part.shape)
        for name, index in part.pieces:
            array[index] = values[name]
        *outer, last = part.name.split(".")
        target = members
        for key in outer:
            target = target.setdefault(key, {})
        target[last] = array
    return members


def modes_of(result: Any) -> list[FittedMode]:
    """The modes of a result, or its paths if nothing was refined."""
    if result.refinement:
        modes = [FittedMode(mode.path, mode.approximation, mode.elbo) for mode in result.refinement.modes]
    else:
        modes = [
            FittedMode(number, path.approximation, path.elbo)
            for number, path in enumerate(result.paths)
            if path.approximation is not None
        ]
    return [mode._replace(approximation=on_host(mode.approximation)) for mode in modes]


def matrix_of(result: Any, kind: MatrixKind) -> InverseMassMatrix:
    """The inverse mass matrix of a result."""
    chains = result.chains if result.uses_chains else None
    is_refined = result.refinement is not None
    return inverse_mass_matrix(modes_of(result), result.pool, result.source, chains, kind, is_refined=is_refined)


def starts_of(result: Any, num_chains: int, seed: int) -> Any:
    """The same result with draws for chains to start from in place of its own, all different."""
    returned = result._returned
    chains = result.chains if result.uses_chains else None
    rng = result._keys.generator("starts of a sampler", seed)
    rows = sampler_starts(modes_of(result), result.pool, chains, returned.others, num_chains, rng)
    return dataclasses.replace(result, rows=rows, is_resampled=True)
