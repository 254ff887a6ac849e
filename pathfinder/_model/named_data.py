"""The data of a model as arrays by name, for ArviZ and saved results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pathfinder._arrays.key_order import in_key_order, key_order
from pathfinder._model.parameters import parameter_names


def named_data(data: PyTree) -> dict[str, np.ndarray]:
    """The leaves of data by name, in the order in which they were written.

    Names are made as those of nested parameters are, joined by dots; one array alone is `data`. Complex numbers are
    given as their `.real` and `.imag` parts, since netCDF has none.
    """
    if data is None:
        return {}
    leaves = jax.tree_util.tree_leaves(data)
    ordered = in_key_order(key_order(data), data)
    named: dict[str, np.ndarray] = {}
    for path, position in parameter_names(ordered, alone="data"):
        for name, values in _numbers(path, leaves[position]):
            named[name] = values
    return named


def _numbers(name: str, leaf: Any) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    values = np.asarray(leaf)
    if values.dtype.kind == "c":
        yield from ((f"{name}.{part}", getattr(values, part)) for part in ("real", "imag"))
    elif values.dtype.kind == "V":  # bfloat16 and the like, which are JAX's alone
        yield name, values.astype(np.float32)
    else:
        yield name, values


def chosen_data(named: Mapping[str, np.ndarray], observed: str | Sequence[str]) -> list[str]:
    """Names of the arrays that are meant by names of data, which may be those of whole dictionaries or tuples.

    Raises:
        ValueError: If there are no such data.
    """
    names = [observed] if isinstance(observed, str) else list(observed)
    chosen = {name: [own for own in named if own == name or own.startswith((f"{name}.", f"{name}:"))] for name in names}
    unknown = [name for name, found in chosen.items() if not found]
    if unknown:
        raise ValueError(
            f"`observed` names {', '.join(map(repr, unknown))}, but the data are "
            f"{', '.join(map(repr, named)) or 'none'}."
        )
    return [own for own in named if any(own in found for found in chosen.values())]
