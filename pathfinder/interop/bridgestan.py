"""Stan programs that BridgeStan has compiled: a library of C with the log density, called from the host."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt32

from pathfinder._errors import NoParametersError
from pathfinder._variables import Block, Variable
from pathfinder.interop.stan_columns import StanColumns


WORTH_A_THREAD = 2e-4  # seconds of one call of the library, of which handing it to a thread takes a fifth
_REJECTED, _KEY, _POSITION = "rejected__", "key__", "position__"  # names that no variable of a program has

# Without STAN_THREADS Stan's automatic differentiation has one stack for a whole process, which libraries may share.
_ONE_AT_A_TIME = threading.RLock()


def bridgestan_arguments(stan_model: Any, threads: int | None = None) -> dict[str, Any]:
    """The arguments of `Model.from_callable` for the parameters of a compiled Stan program.

    Args:
        stan_model: A `bridgestan.StanModel`.
        threads: How many threads may call the library at the same time, which has to be built with STAN_THREADS for
            more than one. None is as many as the machine allows if it is, and one if not.

    Raises:
        ValueError: If the library cannot be called by several threads, or the program has no parameters.
    """
    density = _StanDensity(stan_model, threads)
    if density.dim < 1:
        raise NoParametersError(density.dim)
    names = stan_model.param_names()
    parameters = StanColumns.of(names)

    def constrain(position: np.ndarray) -> dict[str, np.ndarray]:
        return density.constrained(position, parameters)

    def unconstrain(values: Mapping[str, Any]) -> np.ndarray:
        with density.lock:
            try:
                return np.array(stan_model.param_unconstrain(parameters.joined(values, len(names))))
            except RuntimeError as error:
                raise ValueError(_one_line(error)) from error

    return dict(
        value_and_grad=density.values_and_gradients,
        value=density.values,
        dim=density.dim,
        batched=True,
        constrain=constrain,
        unconstrain=unconstrain,
        name=stan_model.name().removesuffix("_model"),
    )


def bridgestan_fields(stan_model: Any) -> dict[str, Any]:
    """Fields of a `Model` that say what there is besides the parameters of a compiled Stan program.

    These are transformed parameters, generated quantities and words for points that the program rejects. Containers
    without elements have no columns, and are left out.
    """
    density = _StanDensity(stan_model, 1)
    counts = [
        len(_names_of(stan_model, include_tp=tp, include_gq=gq))
        for tp, gq in ((False, False), (True, False), (True, True))
    ]
    columns = StanColumns.of(_names_of(stan_model, include_tp=True, include_gq=True))
    blocks: tuple[Block, ...] = ("parameters", "transformed parameters", "generated quantities")
    variables = tuple(
        Variable(name, places.shape, None, blocks[int(np.searchsorted(counts, places.min(), side="right"))])
        for name, places in columns.places.items()
    )
    before = {variable.name for variable in variables if variable.block != "generated quantities"}
    transformed = columns.only(before)
    quantities = columns.only({variable.name for variable in variables} - before)

    def constrain(position: np.ndarray, data: Any) -> dict[str, np.ndarray]:
        return density.constrained(position, transformed, include_tp=True)

    generate = _Generated(density, quantities) if quantities.places else None
    return dict(
        constrain_fn=constrain,
        variables=variables,
        generate_fn=generate,
        warn_fn=None if generate is None else generate.warn,
        rejection_fn=density.rejection,
    )


def _names_of(stan_model: Any, **blocks: bool) -> list[str]:
    return [name for name in stan_model.param_names(**blocks) if name]  # no names are one empty name


class _StanDensity:
    """The log density of a compiled program, with all constants and Jacobians.

    Args:
        model: The `bridgestan.StanModel`.
        threads: As in `bridgestan_arguments`.

    Raises:
        ValueError: If there are to be more threads than the library allows.
    """

    def __init__(self, model: Any, threads: int | None):
        has_threads = "stan_threads=true" in model.model_info().lower()
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise ValueError(f"`threads` must be a positive whole number or None, but {threads!r} was given.")
        if threads is not None and threads > 1 and not has_threads:
            raise ValueError(
                f"The library of '{model.name()}' was built without STAN_THREADS, so that only one thread may call it, "
                f"not {threads}. Compile it with make_args=['STAN_THREADS=True']."
            )
        self._model = model
        self.dim = model.param_unc_num()
        self.lock: AbstractContextManager[Any] = nullcontext() if has_threads else _ONE_AT_A_TIME
        self._pool = ThreadPoolExecutor(threads) if has_threads and threads != 1 else None

    def values(self, positions: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Log densities of points; minus infinity where the program rejects them."""
        return np.array(self._each(self._value, positions))

    def values_and_gradients(
        self, positions: Float[np.ndarray, "n dim"]
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dim"]]:
        """The same with gradients; NaN where the program rejects a point."""
        values, gradients = zip(*self._each(self._value_and_gradient, positions), strict=True)
        return np.array(values), np.stack(gradients)

    def constrained(self, position: np.ndarray, columns: StanColumns, **options: Any) -> dict[str, np.ndarray]:
        """Variables on the constrained scale.

        Raises:
            RuntimeError: If the program rejects the point.
        """
        with self.lock:
            return columns.split(self._model.param_constrain(np.ascontiguousarray(position, float), **options))

    def generator(self, seed: int) -> Any:
        """A random number generator of the library."""
        return self._model.new_rng(seed)

    def rejection(self, position: np.ndarray) -> str:
        """What the program says against a point; empty if it does not reject it."""
        with self.lock:
            try:
                self._model.log_density(np.ascontiguousarray(position, float), propto=False)
            except RuntimeError as error:
                return f"The program says: {_one_line(error)}"
        return ""

    def _each(self, function: Callable[[np.ndarray], Any], positions: np.ndarray) -> list[Any]:
        """What a function gives for each point; by several threads where that is worth it."""
        begin = time.perf_counter()
        with self.lock:
            found = [function(positions[0])]
            if self._pool is None or time.perf_counter() - begin < WORTH_A_THREAD:
                return found + [function(position) for position in positions[1:]]
            return found + list(self._pool.map(function, positions[1:]))

    def _value(self, position: np.ndarray) -> float:
        try:
            # propto=False: ELBOs of programs can be compared, and values need no automatic differentiation.
            return self._model.log_density(position, propto=False)
        except RuntimeError:
            return -np.inf

    def _value_and_gradient(self, position: np.ndarray) -> tuple[float, np.ndarray]:
        gradient = np.empty(self.dim)
        try:
            value, _ = self._model.log_density_gradient(position, propto=False, out=gradient)
        except RuntimeError:
            return -np.inf, np.full(self.dim, np.nan)
        return value, gradient


@dataclass(frozen=True)
class _Generated:
    """Generated quantities of draws, NaN where the program rejects them."""

    density: _StanDensity
    columns: StanColumns

    def __call__(self, key: UInt32[np.ndarray, " 2"], position: np.ndarray, data: Any) -> dict[str, np.ndarray]:
        """Arrays by name, with what `warn` needs.

        Args:
            key: Random bits.
            position: An unconstrained vector.
            data: None.
        """
        try:
            values, rejected = self._values(key, position), False
        except RuntimeError:
            values, rejected = (
                {name: np.full(places.shape, np.nan) for name, places in self.columns.places.items()},
                True,
            )
        return values | {_REJECTED: np.array(rejected), _KEY: key, _POSITION: position}

    def _values(self, key: np.ndarray, position: np.ndarray) -> dict[str, np.ndarray]:
        generator = self.density.generator(int(key[0] ^ key[1]))
        return self.density.constrained(position, self.columns, include_tp=True, include_gq=True, rng=generator)

    def warn(self, values: Mapping[str, np.ndarray]) -> None:
        """Say of how many draws the program rejects, and once why."""
        rejected = np.flatnonzero(values[_REJECTED])
        if not len(rejected):
            return
        try:
            self._values(values[_KEY][rejected[0]], values[_POSITION][rejected[0]])
            reason = "."
        except RuntimeError as error:
            reason = f". The first time: {_one_line(error)}"
        warnings.warn(
            f"Generated quantities of {len(rejected)} of {len(values[_REJECTED])} draws are NaN, because the program "
            f"rejects them{reason}",
            stacklevel=4,
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
