"""Results as files: one NumPy archive (`.npz`) of arrays, with all else as JSON beside them; never pickled."""

import dataclasses
import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from pathfinder._cache.whole_file import write_whole
from pathfinder._chains.budget import ChainBudget
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._chains.mixing import Mixing
from pathfinder._chains.virial import Virial
from pathfinder._importance.path_draws import MixedDraws, PathDraws
from pathfinder._importance.pool import Pool
from pathfinder._importance.refinement import RefinedMode, Refinement
from pathfinder._model.model import Model
from pathfinder._normals.bordered import BorderedNormal
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.student_t import NormalOrT
from pathfinder._paths.outcomes import Iterations, Trajectory
from pathfinder._pattern import Pattern
from pathfinder._refinement.history import Cost
from pathfinder._results.path_result import PathResult
from pathfinder._settings import Settings
from pathfinder._status import Status
from pathfinder._variables import Variable


FORMAT = "pathfinder-vi result"
FORMAT_VERSION = 1
_CONTENT = "content.json"
_CLASSES: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        PathResult, Pool, PathDraws, MixedDraws, ChainDraws, ChainBudget, Mixing, Virial, LowRankNormal, BorderedNormal,
        NormalOrT, Refinement, RefinedMode, Pattern, Cost, Iterations, Trajectory, Settings, Variable,
    )
}  # fmt: skip
_MODEL_FIELDS = ("dim", "variables", "name", "coords", "observed", "data_dims", "observed_variables", "named_data")


def write(path: Any, model: Model, fields: Mapping[str, Any], draws: Mapping[str, Any]) -> None:
    """Write a result to a file, complete or not at all.

    Args:
        path: The file.
        model: What was fitted, of which the names and data are written.
        fields: The other fields of the result.
        draws: Its draws by name, and unconstrained.

    Raises:
        OSError: If the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    own = {name: getattr(model, name) for name in _MODEL_FIELDS}
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "model": _encoded(own | {"dtype": str(np.dtype(model.dtype))}, arrays),
        "result": _encoded(fields, arrays),
        **{name: _encoded(values, arrays) for name, values in draws.items()},
    }
    arrays[_CONTENT] = np.frombuffer(json.dumps(content).encode(), np.uint8)
    write_whole(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


class Saved(NamedTuple):
    """What a file holds.

    Args:
        model: Fields of the model.
        fields: Those of the result.
        draws: By name.
        unconstrained_draws: On the unconstrained scale.
    """

    model: dict[str, Any]
    fields: dict[str, Any]
    draws: dict[str, np.ndarray]
    unconstrained_draws: np.ndarray


def read(path: Any) -> Saved:
    """Read what `write` wrote.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no saved result, is damaged or comes from a newer version.
    """
    with open(path, "rb") as opened:
        whole = opened.read()
    try:
        arrays = _arrays(whole)
        content = json.loads(arrays[_CONTENT].tobytes())
        found = content["format"], content["version"]
    except Exception as error:  # NumPy and zipfile raise errors of many kinds where a file is damaged
        raise ValueError(
            f"{os.fspath(path)!r} is not a result that was saved by `result.save`, or it is damaged: {error}"
        ) from error
    if found[0] != FORMAT or not isinstance(found[1], int):
        raise ValueError(f"{os.fspath(path)!r} is not a saved result; its format is {found[0]!r}.")
    if found[1] > FORMAT_VERSION:
        raise ValueError(
            f"{os.fspath(path)!r} was saved in version {found[1]} of the format, and this package reads up to "
            f"{FORMAT_VERSION}. Load it with the newer version of pathfinder-vi that saved it."
        )
    try:
        parts = {name: _decoded(content[name], arrays) for name in ("model", "result", "draws", "unconstrained_draws")}
    except Exception as error:  # whatever is missing or of another type than was written
        raise ValueError(f"{os.fspath(path)!r} is damaged: {error!r}.") from error
    return Saved(parts["model"], parts["result"], parts["draws"], parts["unconstrained_draws"])


def _arrays(whole: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive, whose checksums are those of what was written.

    Raises:
        Exception: Of many kinds, if it is none or is damaged.
    """
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"the checksum of its part {damaged!r} is wrong")
    with np.load(io.BytesIO(whole), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _encoded(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """What JSON can hold, with arrays put aside under numbers."""
    encode: Callable[[Any], Any] = lambda item: _encoded(item, arrays)  # noqa: E731
    if isinstance(value, Status):
        return {"status": value.name}
    if value is None or isinstance(value, bool | int | str) and not isinstance(value, np.generic):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        name = f"array{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array": name}
    if type(value).__name__ in _CLASSES:
        names = getattr(value, "_fields", None) or [field.name for field in dataclasses.fields(value)]
        return {"class": type(value).__name__, "fields": {name: encode(getattr(value, name)) for name in names}}
    if isinstance(value, Mapping):
        return {"mapping": [[key, encode(item)] for key, item in value.items()]}
    if isinstance(value, list | tuple | range):
        return {"list" if isinstance(value, list) else "tuple": [encode(item) for item in value]}
    return encode(_plain_array(value))


def _plain_array(value: Any) -> np.ndarray:
    """Coordinates and the like, which may be an index of pandas."""
    array = np.asarray(value)
    return array.astype(str) if array.dtype.kind == "O" else array


def _decoded(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    (kind, content), *rest = value.items()
    if kind == "class":
        return _CLASSES[content](**{name: _decoded(item, arrays) for name, item in rest[0][1].items()})
    readers: dict[str, Callable[[Any], Any]] = {
        "status": lambda name: Status[name],
        "float": float,
        "array": lambda name: arrays[name],
        "mapping": lambda pairs: {key: _decoded(item, arrays) for key, item in pairs},
        "list": lambda items: [_decoded(item, arrays) for item in items],
        "tuple": lambda items: tuple(_decoded(item, arrays) for item in items),
    }
    return readers[kind](content)
