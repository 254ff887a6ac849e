"""Parameters and data drawn by a Stan program, for simulation-based calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from pathfinder._arrays.placed import default_dtype
from pathfinder.stan._program.data import read_data, take_from
from pathfinder.stan._program.files import load, load_data
from pathfinder.stan._program.program import BoundProgram, bind, declarations
from pathfinder.stan._state.errors import StanEvaluationError


def simulator(
    program: Any,
    data: Any = None,
    *,
    parameters: Sequence[str] | Mapping[str, str],
    fixed: Mapping[str, Any] | None = None,
    include_paths: Sequence[Any] = (),
) -> Callable[[Any], tuple[dict[str, Any], dict[str, Any]]]:
    """A function that draws parameters and data by the generated quantities of a Stan program.

    The program usually has no parameters: its generated quantities draw those of the fitted program from their prior,
    by functions that end in `_rng`, and data given these. Its own data, such as sizes, are data of the fitted program,
    too.

    Args:
        program: A path that ends in `.stan`, or the text of the program.
        data: Its data, as in `pathfinder.Model.from_stan`.
        parameters: Names of the generated quantities that are parameters of the fitted program; or its names by these,
            where they have others: `{"mu_": "mu"}`. All others are data.
        fixed: Values of the program's own parameters, if it has some.
        include_paths: Folders to look for included files in, after that of the program.

    Returns:
        A function of a JAX key that gives parameters and data by name, for `pathfinder.calibrate`.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If the program is wrong, data do not fit it, or a name is that of no generated quantity.
    """
    checked = load(program, include_paths)
    given = load_data(data)
    bound = bind(checked, read_data(checked, take_from(given)))
    generated = [node.name.text for node in declarations(checked.program.generated_quantities)]
    names = dict(parameters) if isinstance(parameters, Mapping) else {name: name for name in parameters}
    unknown = [name for name in names if name not in generated]
    if isinstance(parameters, str) or unknown or not names:
        raise ValueError(
            f"`parameters` must name generated quantities of the program, which are {', '.join(generated) or 'none'}, "
            f"but {parameters!r} was given."
        )
    draw = _draws(bound, _position(bound, fixed or {}))

    def simulate(key: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        values = draw(key)
        own = {name: values[name] for name in generated if name not in names}
        return {name: values[quantity] for quantity, name in names.items()}, {**(given or {}), **own}

    return simulate


def _position(bound: BoundProgram, fixed: Mapping[str, Any]) -> np.ndarray:
    names = [parameter.name for parameter in bound.parameters]
    if set(fixed) != set(names):
        raise ValueError(
            f"`fixed` must have values of the program's parameters, which are {', '.join(names) or 'none'}, but those "
            f"given are {', '.join(fixed) or 'none'}."
        )
    if not names:
        return np.zeros(0, default_dtype())
    return bound.unconstrained({name: np.asarray(value) for name, value in fixed.items()})


def _draws(bound: BoundProgram, position: np.ndarray) -> Callable[[Any], dict[str, Any]]:
    """Generated quantities as a function of a key: compiled, or on the host where that cannot be."""

    def on_host(key: Any) -> dict[str, Any]:
        return bound.generated_on_host(key, position)

    traced = jax.jit(lambda key: bound.generated(key, position))
    try:
        jax.eval_shape(traced, jax.eval_shape(jax.random.key, 0))
    except StanEvaluationError:
        return on_host

    def compiled(key: Any) -> dict[str, Any]:
        values, accepted = traced(key)
        if not accepted:
            return on_host(key)  # which says why
        return jax.tree_util.tree_map(np.asarray, values)

    return compiled
