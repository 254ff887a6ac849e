"""Results as files: one NumPy archive (`.npz`) of arrays, with all else as JSON beside them; never pickled."""

import dataclasses
import io
import json
import os
import uuid
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._importance.path_draws import PathDraws
from pathfinder._importance.pool import Pool
from pathfinder._importance.refinement import RefinedMode, Refinement
from pathfinder._model.model import Model
from pathfinder._model.user_functions import described
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._paths.outcomes import Iterations, Trajectory
from pathfinder._refinement.history import Cost
from pathfinder._results.path_result import PathResult
from pathfinder._results.result import PathfinderResult
from pathfinder._settings import Settings
from pathfinder._status import Status
from pathfinder._variables import Variable


FORMAT = "pathfinder-vi result"
FORMAT_VERSION = 1
_CONTENT = "content.json"
_CLASSES: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        PathfinderResult, PathResult, Pool, PathDraws, LowRankNormal, Refinement, RefinedMode, Cost, Iterations,
        Trajectory, Settings, Variable,
    )
}  # fmt: skip
_MODEL_FIELDS = ("dim", "variables", "name", "coords", "observed", "data_dims", "named_data")


def save(result: PathfinderResult, path: Any) -> None:
    """Write a result to a file, complete or not at all.

    Raises:
        OSError: If the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    model = {name: getattr(result.model, name) for name in _MODEL_FIELDS}
    fields = {f.name: getattr(result, f.name) for f in dataclasses.fields(result) if f.name != "model"}
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "model": _encoded(model | {"dtype": str(np.dtype(result.model.dtype))}, arrays),
        "result": _encoded(fields, arrays),
        "draws": _encoded(result.draws, arrays),
        "unconstrained_draws": _encoded(result.unconstrained_draws, arrays),
    }
    arrays[_CONTENT] = np.frombuffer(json.dumps(content).encode(), np.uint8)
    target = os.fspath(path)
    # Beside the target, so that it can be renamed; not made by `tempfile`, whose files others cannot read.
    temporary = f"{target}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        with open(temporary, "xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def load(path: Any, *, model: Model | None = None) -> PathfinderResult:
    """Read a result that `PathfinderResult.save` wrote, also in another process and without the density.

    Without `model` there are the draws, diagnostics, summary, approximations and settings, and `resample` and `draw`
    on the unconstrained scale; what needs the density or the constraining transform raises an error that says so.

    Args:
        path: The file.
        model: The model that was fitted, with its data, for draws by name of other choices from the pool. Data that
            differ from those of the fit are warned of.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no saved result, is damaged or comes from a newer version, or `model` is another one.
    """
    if model is not None and not isinstance(model, Model):
        raise ValueError(f"`model` must be the pathfinder.Model that was fitted, but it is {described(model)}.")
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
        fields = _decoded(content["result"], arrays)
        draws, unconstrained = (_decoded(content[name], arrays) for name in ("draws", "unconstrained_draws"))
        own = _without_density(_decoded(content["model"], arrays))
        fields["key"] = jnp.asarray(fields["key"])
        result = PathfinderResult(model=own, **fields)
    except Exception as error:  # whatever is missing or of another type than was written
        raise ValueError(f"{os.fspath(path)!r} is damaged: {error!r}.") from error
    _require_precision(own.dtype)
    if model is not None:
        result = dataclasses.replace(result, model=_matching(model, own))
    vars(result).update(draws=draws, unconstrained_draws=unconstrained)  # the caches of these properties
    return result


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


def _matching(model: Model, saved: Model) -> Model:
    for name in ("dim", "variables", "dtype"):
        given, expected = getattr(model, name), getattr(saved, name)
        if given != expected:
            hint = " Set jax_enable_x64 as it was in the fit, before the model is made." if name == "dtype" else ""
            raise ValueError(
                f"`model` is not the one of the saved result: its {name} is {given}, not {expected}.{hint}"
            )
    own, expected = model.named_data, saved.named_data
    differing = [name for name in {**expected, **own} if not _same(own.get(name), expected.get(name))]
    if differing:
        warnings.warn(
            f"The data of `model` are not those of the fit: {', '.join(map(repr, differing))} differ. Draws made "
            "from now on use the data of `model`; the diagnostics and weights are those of the fit.",
            stacklevel=3,
        )
    return model


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None or one.shape != other.shape:
        return False
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f"))


def _require_precision(dtype: Any) -> None:
    """Say that JAX cannot do what the fit did.

    Warns:
        UserWarning: If the fit was made in double precision, and JAX has single.
    """
    if str(np.dtype(dtype)) == "float64" and not jax.config.read("jax_enable_x64"):
        warnings.warn(
            "The result was fitted in double precision, but jax_enable_x64 is off: `draws` are as they were saved, "
            "and other draws will be made in single precision. Call jax.config.update('jax_enable_x64', True) first.",
            stacklevel=3,
        )


def _without_density(fields: Mapping[str, Any]) -> Model:
    return Model(
        dim=fields["dim"],
        density=_needs_model,
        constrain_fn=_needs_model,
        unconstrain_fn=_needs_model,
        named_fn=_needs_model,
        variables=fields["variables"],
        dtype=jnp.dtype(fields["dtype"]),
        name=fields["name"],
        coords=fields["coords"],
        data=fields["named_data"] or None,
        observed=fields["observed"],
        data_dims=fields["data_dims"],
    )


def _needs_model(*_: Any) -> Any:
    raise ValueError(
        "This result was loaded without its model, so that there are no log density and no constraining transform. "
        "Load it with pathfinder.load(path, model=model)."
    )


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
