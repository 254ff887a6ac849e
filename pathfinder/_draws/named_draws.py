"""Draws on the constrained scale, by variable name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Int, UInt32

from pathfinder._arrays.namespace import Array, rows
from pathfinder._arrays.placed import placed
from pathfinder._arrays.streams import fold_in
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._cache.user_store import user_store
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._density.grouped import GroupedProgram
from pathfinder._density.kept_programs import kept
from pathfinder._density.stored import Kept, entry_of, traceable
from pathfinder._importance.path_draws import DrawSource
from pathfinder._model.model import Model


BATCH_BYTES = 2**26
MOST_ROWS_PER_BATCH = 1024
DRAWS_PER_GROUP = 128


def named_draws(
    model: Model,
    source: DrawSource | ChainDraws,
    lanes: Int[np.ndarray, " n"],
    indices: Int[np.ndarray, " n"],
    generator_keys: UInt32[Array, "lane 2"],
    fits: Int[np.ndarray, " n"] | None = None,
    *,
    cache: bool = False,
) -> dict[str, np.ndarray]:
    """Make draws from their keys and map them to variables, in batches so that little more than the result is held.

    Args:
        model: The model; its data have a leading axis of fits if `fits` is given.
        source: Where the draws come from.
        lanes: The lane of `source` of each draw.
        indices: The number of each draw within its lane.
        generator_keys: Key of each lane for generated quantities.
        fits: The data set of each draw, if there are several.
        cache: Whether the program is kept for other processes.

    Returns:
        Arrays of shape `(n, *variable.shape)` by name, in the order of the model's variables.
    """
    if model.is_callable:
        variables = _called(model, lanes, indices, np.asarray(generator_keys))
    else:
        variables = _compiled(model, lanes, indices, np.asarray(generator_keys), fits, cache)
    bytes_per_row = (sum(variable.size for variable in model.variables) + model.dim) * np.dtype(model.dtype).itemsize
    batch = min(MOST_ROWS_PER_BATCH, BATCH_BYTES // bytes_per_row)
    values: dict[str, np.ndarray] = {}
    for numbers, positions in _merged(source.positions(lanes, indices), max(1, batch)):
        for name, part in variables(numbers, positions).items():
            if name not in values:
                values[name] = np.empty((len(lanes), *part.shape[1:]), part.dtype)
            values[name][numbers] = part
    if model.warn_fn is not None:
        model.warn_fn(values)
    return {variable.name: values[variable.name] for variable in model.variables}


def variables_at(model: Model, positions: np.ndarray, *, cache: bool = False) -> dict[str, np.ndarray]:
    """Variables at given positions, by the program of the draws; generated quantities with some random numbers.

    Args:
        model: A model in JAX.
        positions: Unconstrained vectors, one in each row.
        cache: As in `named_draws`.
    """
    rows = np.arange(len(positions))
    return _compiled(model, np.zeros_like(rows), rows, np.zeros((1, 2), np.uint32), None, cache)(rows, positions)


def _merged(parts, size: int):
    """Join parts of (numbers, positions) into ones of exactly `size` draws, but for the last."""
    numbers: list[np.ndarray] = []
    positions: list[np.ndarray] = []
    waiting = 0
    for more_numbers, more_positions in parts:
        numbers.append(more_numbers)
        positions.append(more_positions)
        waiting += len(more_numbers)
        while waiting >= size:
            all_numbers, all_positions = np.concatenate(numbers), np.concatenate(positions)
            yield all_numbers[:size], all_positions[:size]
            numbers, positions, waiting = [all_numbers[size:]], [all_positions[size:]], waiting - size
    if waiting:
        yield np.concatenate(numbers), np.concatenate(positions)


def _called(
    model: Model, lanes: np.ndarray, indices: np.ndarray, lane_keys: np.ndarray
) -> Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]:
    """Variables of draws, by their numbers, at their positions, of a model outside of JAX."""
    generate = model.generate_fn

    def variables(numbers, positions):
        draws = [model.constrain_fn(position, None) for position in positions]
        if generate is not None:
            keys = fold_in(lane_keys[lanes[numbers]], indices[numbers])
            draws = [
                draw | generate(key, position, None)
                for draw, key, position in zip(draws, np.asarray(keys), positions, strict=True)
            ]
        return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}

    return variables


def _compiled(
    model: Model, lanes: np.ndarray, indices: np.ndarray, lane_keys: np.ndarray, fits: np.ndarray | None, cache: bool
) -> Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]:
    """Variables of draws, by their numbers, at their positions, by the program of the model."""
    (device,) = jax.device_put(0.0).devices()  # that of JAX's default, as large generated quantities may want
    data = placed(model.data, device)
    dtype, kept_in = np.dtype(model.dtype), Kept(user_store(cache and device.platform == "cpu"))
    program = _constrain_program(
        data, model.constrain_fn, model.generate_fn, model.dim, dtype, fits is not None, device, kept_in
    )

    def variables(numbers, positions):
        keys = None if model.generate_fn is None else np.asarray(fold_in(lane_keys[lanes[numbers]], indices[numbers]))
        return program(positions, keys, None if fits is None else fits[numbers].astype(np.int32), data)

    return variables


class ConstrainProgram:
    """The variables at positions, generated quantities included, in groups of a fixed number of them.

    Args:
        data: Shapes and types of the data.
        constrain: As `Model.constrain_fn`.
        generate: As `Model.generate_fn`.
        dim: Length of a position.
        dtype: Its floating-point type.
        has_fits: Whether data have a leading axis of data sets.
        device: Where the variables are computed.
        kept_in: Where the program is kept for other processes.
    """

    def __init__(
        self,
        data: Any,
        constrain: Any,
        generate: Any,
        dim: int,
        dtype: np.dtype,
        has_fits: bool,
        device: Any,
        kept_in: Kept,
    ):
        point = (
            jax.ShapeDtypeStruct((dim,), dtype),
            None if generate is None else jax.ShapeDtypeStruct((2,), np.uint32),
            jax.ShapeDtypeStruct((), np.int32) if has_fits else None,
        )
        executable = (BATCH_BYTES, device.device_kind)
        entry = entry_of((constrain, generate), kept_in.store, "constrain", executable, data, dim, dtype, has_fits)
        stored = GroupedProgram.stored(entry, point, data, device)
        if stored is not None:
            self._program = stored
            return
        constrain, generate = traceable(constrain), traceable(generate)

        def one(position, key, own):
            named = constrain(position, own)
            return named if generate is None else {**named, **generate(jax.random.wrap_key_data(key), position, own)}

        def variables(points, data):
            def of_draw(position, key, fit):
                return one(position, key, rows(data, fit) if has_fits else data)

            return over_lanes(of_draw)(*points)

        self._program = GroupedProgram(variables, point, data, DRAWS_PER_GROUP, BATCH_BYTES, device, entry=entry)

    def __call__(
        self, positions: np.ndarray, keys: np.ndarray | None, fits: np.ndarray | None, data: Any
    ) -> dict[str, np.ndarray]:
        """The variables by name.

        Args:
            positions: Unconstrained draws.
            keys: The key of each draw for generated quantities, if there are any.
            fits: The data set of each, if there are several.
            data: The data.
        """
        return self._program((positions, keys, fits), data)


_constrain_program = kept(ConstrainProgram)
