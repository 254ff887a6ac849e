"""A bound Stan program without the program: what a fit needs when all its compiled programs are in a store.

Models of Stan programs have all functions of a `Model`, so nobody asks here whether there is one.
"""

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np

from pathfinder._arrays.packed import packed, unpacked
from pathfinder._arrays.placed import placed
from pathfinder._density.stored import Store, StoredFunction
from pathfinder._model.model import Model
from pathfinder._variables import Variable


_DENSITY, _CONSTRAIN, _GENERATE = "density", "constrain", "generate"


def model_bytes(model: Model) -> bytes | None:
    """A model of a Stan program as bytes; None if it has something that bytes cannot say."""
    arrays = {name: [np.asarray(leaf) for leaf in leaves] for name, leaves in model.data.items()}
    flags = getattr(model.warn_fn, "flags", None)
    weak = any(leaf.weak_type for leaf in jax.tree_util.tree_leaves(model.data))
    if weak or model.coords or model.data_dims or (model.warn_fn is not None and flags is None):
        return None
    header = {
        "dim": model.dim,
        "dtype": np.dtype(model.dtype).name,
        "variables": [dataclasses.astuple(variable) for variable in model.variables],
        "data": {name: [[array.dtype.name, array.shape] for array in each] for name, each in arrays.items()},
        "generates": model.generate_fn is not None,
        "flags": flags,
        "observed": model.observed,
    }
    return packed(header, [array.tobytes() for each in arrays.values() for array in each])


def stored_model(content: bytes, key: str, store: Store, name: str, make: Callable[[], Any]) -> Model:
    """The model of `model_bytes`.

    Args:
        content: The bytes.
        key: Tells the program with its data and options from all others, and versions and machines too.
        store: Where its compiled programs are.
        name: Its name.
        make: Makes the model itself, in case something has to be traced or told that the bytes do not say. Called once.

    Raises:
        ValueError: If the bytes are of another form.
    """
    header, parts = unpacked(content)
    waiting = iter(parts)
    try:
        data = {
            name: tuple(
                placed(np.frombuffer(next(waiting), np.dtype(dtype)).reshape(shape)) for dtype, shape in described
            )
            for name, described in header["data"].items()
        }
        variables = tuple(
            Variable(name, tuple(shape), None if dims is None else tuple(dims), block)
            for name, shape, dims, block in header["variables"]
        )
        fields = {
            "dim": header["dim"],
            "dtype": np.dtype(header["dtype"]),
            "observed": tuple(header["observed"]),
        }
        flags, generates = header["flags"], header["generates"]
    except (KeyError, TypeError, StopIteration) as error:
        raise ValueError(f"not a model: {error!r}") from error
    made = cache(make)

    def warn(values):
        if np.any(values.get(flags, False)):
            made().warn_fn(values)

    functions = _functions(key, store, generates, made)
    return Model(
        **fields,
        **functions,
        unconstrain_fn=lambda parameters: made().unconstrain_fn(parameters),
        named_fn=lambda parameters: made().named_fn(parameters),
        data_fn=lambda given: made().data_fn(made().data) if given is data else {},
        parts_fn=lambda: made().parts,
        rejection_fn=lambda position: made().rejection_fn(position),
        warn_fn=None if flags is None else warn,
        variables=variables,
        data=data,
        name=name,
    )


def storing_model(model: Model, key: str, store: Store) -> Model:
    """A model whose programs are put into a store when they are compiled, or taken from there."""
    functions = _functions(key, store, model.generate_fn is not None, lambda: model)
    return dataclasses.replace(model, **functions)


def _functions(key: str, store: Store, generates: bool, made: Callable[[], Any]) -> dict[str, Any]:
    functions: dict[str, Any] = {
        "density": StoredFunction(f"{_DENSITY} {key}", store, lambda: made().density),
        "constrain_fn": StoredFunction(f"{_CONSTRAIN} {key}", store, lambda: made().constrain_fn),
    }
    if generates:
        functions["generate_fn"] = StoredFunction(f"{_GENERATE} {key}", store, lambda: made().generate_fn)
    return functions
