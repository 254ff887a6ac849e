"""Arguments of fits, as `fit` and `fit_batch` take them."""

from __future__ import annotations

import dataclasses
import inspect
import math
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pathfinder._arrays.streams import Key
from pathfinder._close_names import close_name
from pathfinder._errors import Interrupt
from pathfinder._model.log_density import NUMPYRO_HINT
from pathfinder._model.model import Model
from pathfinder._model.user_functions import described
from pathfinder._paths.outcomes import PathReport
from pathfinder._settings import Settings


# Seconds, and part of a time limit, for which draws are still weighed after it.
LEAST_GRACE = 1.0
GRACE = 0.02

_TAKEN = (
    "`model` must be a pathfinder.Model, a log density with `example`, a pymc.Model, a bridgestan.StanModel or the "
    "path of a Stan program"
)


def merged_settings(function: Callable[..., Any], settings: Settings | None, options: Mapping[str, Any]) -> Settings:
    """Settings with the options given to a function, whose other arguments may have been meant by unknown ones."""
    names = [field.name for field in dataclasses.fields(Settings)]
    unknown = sorted(set(options) - set(names))
    if unknown:
        known = list(inspect.signature(function).parameters)
        near = list(filter(None, (close_name(option, [*known, *names]) for option in unknown)))
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
        raise TypeError(f"Unknown option {', '.join(map(repr, unknown))}.{hint} The options are {', '.join(names)}.")
    if settings is not None and not isinstance(settings, Settings):
        raise ValueError(f"`settings` must be a pathfinder.Settings, but {settings!r} was given; see also **options.")
    return dataclasses.replace(settings or Settings(), **options)


def model_of(model: Any, example: PyTree, data: PyTree, constraints: Mapping[str, Any] | None) -> Model:
    """The model of whatever may be one; arguments as of `fit`."""
    if isinstance(model, str) or hasattr(model, "__fspath__"):
        if not str(model).endswith(".stan"):
            raise ValueError(f"{_TAKEN}, but {str(model)!r} was given. The path of a Stan program ends in .stan.")
        if constraints is not None:
            raise ValueError("`constraints` go with a log density; a Stan program declares its own.")
        return Model.from_stan(model, data)
    model = adapted(model)
    if isinstance(model, Model):
        if data is not None or constraints is not None:
            raise ValueError("`data` and `constraints` go with a log density; a Model has its own.")
        return model
    if not callable(model) or isinstance(model, type):
        raise ValueError(f"{_TAKEN}, but {described(model)} was given.")
    if example is None:
        raise ValueError(
            "A log density needs `example`, a pytree with the structure and shapes of its parameters, for instance "
            f'fit(log_density, {{"mu": 0.0, "theta": jnp.zeros(8)}}). {NUMPYRO_HINT}'
        )
    return Model.from_log_density(model, example, data=data, constraints=constraints)


def adapted(model: Any) -> Any:
    """The `Model` of a model of another library; anything else as it is. Nothing is imported to tell which it is."""
    kinds = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(model).__mro__}
    if "pymc.Model" in kinds:
        return Model.from_pymc(model)
    if "bridgestan.StanModel" in kinds:
        return Model.from_bridgestan(model)
    return model


def seed_and_key(seed: Any) -> tuple[int | None, Key]:
    """The seed, if there is one, and the key that all random numbers come from."""
    if seed is None:
        seed = secrets.randbits(32)
    if isinstance(seed, jax.Array) and jnp.issubdtype(seed.dtype, jax.dtypes.prng_key) and seed.shape == ():
        words = np.asarray(jax.random.key_data(seed))
        # Keys of other generators than Threefry are longer.
        return None, words if words.shape == (2,) else np.asarray(jax.random.bits(seed, (2,), jnp.uint32))
    if isinstance(seed, jax.Array | np.ndarray) and seed.dtype == np.uint32 and seed.shape == (2,):
        return None, np.asarray(seed)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"`seed` must be a whole number from 0 to 2^64 - 1 or a JAX key, but {seed!r} was given.")
    return int(seed), np.array([int(seed) >> 32, int(seed) % 2**32], np.uint32)


def time_limit(begin: float, max_time: float) -> Callable[[], None]:
    if not isinstance(max_time, int | float | np.number) or not max_time > 0:
        raise ValueError(f"`max_time` must be a positive number of seconds, but {max_time!r} was given.")

    def check() -> None:
        if time.perf_counter() - begin > max_time:
            raise Interrupt

    return check


def time_is_over(begin: float, max_time: float) -> Callable[[], bool] | None:
    """Whether a time limit is so long past that draws which are still to be weighed are left out; None without limit.

    Weighing takes a moment in most fits, which is not worth losing draws for.
    """
    if max_time == math.inf:
        return None
    end = begin + max_time + max(LEAST_GRACE, GRACE * max_time)
    return lambda: time.perf_counter() > end


def all_of(*callables: Callable[[list[PathReport]], None] | None) -> Callable[[list[PathReport]], None]:
    def call(reports: list[PathReport]) -> None:
        for each in callables:
            if each is not None:
                each(reports)

    return call
