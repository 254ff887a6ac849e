"""Draws on the constrained scale, by variable name."""

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Int, UInt32

from pathfinder._arrays.streams import fold_in
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._importance.path_draws import PathDraws
from pathfinder._model.model import Model


BATCH_BYTES = 2**26
MOST_ROWS_PER_BATCH = 1024


def named_draws(
    model: Model,
    source: PathDraws,
    lanes: Int[np.ndarray, " n"],
    indices: Int[np.ndarray, " n"],
    generator_keys: UInt32[Array, "lane 2"],
    fits: Int[np.ndarray, " n"] | None = None,
) -> dict[str, np.ndarray]:
    """Make draws from their keys and map them to variables, in batches so that little more than the result is held.

    Args:
        model: The model; its data have a leading axis of fits if `fits` is given.
        source: Where the draws come from.
        lanes: The lane of `source` of each draw.
        indices: The number of each draw within its lane.
        generator_keys: Key of each lane for generated quantities.
        fits: The data set of each draw, if there are several.

    Returns:
        Arrays of shape `(n, *variable.shape)` by name, in the order of the model's variables.
    """
    size = sum(variable.size for variable in model.variables) + model.dim
    bytes_per_row = size * np.dtype(model.dtype).itemsize
    batch = max(1, min(len(lanes), MOST_ROWS_PER_BATCH, BATCH_BYTES // bytes_per_row))
    values: dict[str, np.ndarray] = {}
    for rows, positions in _merged(source.positions(lanes, indices), batch):
        cycle = np.resize(np.arange(len(rows)), batch)  # the last batch repeats rows, so that all have one shape
        padded = rows[cycle]
        named = _constrain_rows(
            positions[cycle],
            generator_keys,
            lanes[padded],
            indices[padded],
            model.data,
            None if fits is None else fits[padded],
            constrain=model.constrain_fn,
            generate=model.generate_fn,
        )
        for name, part in named.items():
            if name not in values:
                values[name] = np.empty((len(lanes), *part.shape[1:]), part.dtype)
            values[name][rows] = np.asarray(part)[: len(rows)]
    if model.warn_fn is not None:
        model.warn_fn(values)
    return {variable.name: values[variable.name] for variable in model.variables}


def _merged(parts, size: int):
    """Join parts of (rows, positions) into ones of exactly `size` rows, but for the last."""
    rows: list[np.ndarray] = []
    positions: list[np.ndarray] = []
    waiting = 0
    for more_rows, more_positions in parts:
        rows.append(more_rows)
        positions.append(more_positions)
        waiting += len(more_rows)
        while waiting >= size:
            all_rows, all_positions = np.concatenate(rows), np.concatenate(positions)
            yield all_rows[:size], all_positions[:size]
            rows, positions, waiting = [all_rows[size:]], [all_positions[size:]], waiting - size
    if waiting:
        yield np.concatenate(rows), np.concatenate(positions)


@partial(jax.jit, static_argnames=("constrain", "generate"))
def _constrain_rows(positions, lane_keys, lanes, indices, data, fits, *, constrain, generate):
    def one(position, lane, index, fit):
        own = data if fit is None else jax.tree_util.tree_map(lambda leaf: leaf[fit], data)
        named = constrain(position, own)
        if generate is not None:
            named = {**named, **generate(jax.random.wrap_key_data(fold_in(lane_keys[lane], index)), position, own)}
        return named

    return over_lanes(one)(positions, lanes, indices, fits)
