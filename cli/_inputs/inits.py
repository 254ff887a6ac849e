"""Where the paths start: from the value of `init=` to the engine's initial points."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from pathfinder import InitialPoints, Model
from pathfinder._close_names import did_you_mean
from pathfinder._data_files import Array, InputFileError, Value
from pathfinder._errors import BoundaryValueError
from pathfinder._variables import Part
from pathfinder_cli._arguments.grammar import Configuration
from pathfinder_cli._console import texts
from pathfinder_cli._errors import InputError
from pathfinder_cli._inputs.init_files import init_files
from pathfinder_cli._inputs.input_file import InputFile, input_warnings, read_input_file
from pathfinder_cli._inputs.validate import INITS, Declaration, validate


_FIRST_NAME = re.compile(r"[.:]")  # what ends a variable's name in those of its parts
_UNLIKE_ANY_VALUE = 0.8765  # stands for parameters without a value, to find where they are


class Inits(NamedTuple):
    """Initial points, and what was wrong with some of them.

    Args:
        points: Where each path may start; NaN where its initial values cannot be used.
        failures: What to print on stdout and on stderr for such paths.
    """

    points: InitialPoints
    failures: dict[int, tuple[str, str]]


def read_inits(config: Configuration, model: Model, warn: Callable[[str], None]) -> Inits:
    """Read the initial values that `init=` asks for.

    Parameters that a file leaves out start at random, within the radius 2.

    Args:
        config: The configuration.
        model: The model.
        warn: Prints on stderr.

    Raises:
        UsageError: If a file is missing.
        InputError: If a file cannot be read.
    """
    num_paths = config.pathfinder.num_paths
    center = np.zeros((num_paths, model.dim), model.dtype)
    radius = np.full((num_paths, model.dim), config.init.radius, model.dtype)
    failures: dict[int, tuple[str, str]] = {}
    if config.init.file is None:
        return Inits(InitialPoints(center, radius), failures)
    names = init_files(config.init.file, num_paths=num_paths, first_id=config.id, exists=_is_readable)
    files: dict[str, InputFile] = {}
    parts = model.parts
    known = _known_names(model, parts)
    for name in dict.fromkeys(names):
        for warning in input_warnings(name):
            warn(warning)
        files[name] = read_input_file(name)
        for warning in _unknown_names(known, files[name]):
            warn(warning)
    completion = _Completion(model)
    for path, name in enumerate(names):
        try:
            center[path], is_given = completion.unconstrained(_checked(parts, files[name]))
            radius[path, is_given] = 0.0
        except InputError as error:
            failures[path] = ("", texts.initialization_error(str(error)))
        except ValueError as error:
            on_boundary = isinstance(error, BoundaryValueError)
            rejected = (
                texts.rejected_zero_density()
                if on_boundary
                else texts.rejected_log_density_error(f"Exception: {error}")
            )
            failed = texts.initialization_failed(config.init.radius, 1)
            failures[path] = (rejected, f'{failed}\nError: file "{name}": {error}')
        if path in failures:
            center[path], radius[path] = np.nan, 0.0
    return Inits(InitialPoints(center, radius), failures)


def _checked(parts: Sequence[Part], file: InputFile) -> dict[str, Array]:
    """The numbers in a file by the names of the model's variables."""
    checked = validate((Declaration(part.name, "real", part.shape) for part in parts), file, INITS)
    return {
        name: numbers
        for part in parts
        if part.name in checked
        for name, numbers in part.numbers(checked[part.name]).items()
    }


class _KnownNames(NamedTuple):
    """The names that may stand in files of initial values.

    Args:
        parts: Those of parameters, or of the slots of tuples: `t.1`.
        given: Those and the tuples themselves: `t` and `t.1`.
        variables: Those of all other variables, since files may hold all variables of a draw.
    """

    parts: dict[str, None]
    given: dict[str, None]
    variables: set[str]


def _known_names(model: Model, parts: Sequence[Part]) -> _KnownNames:
    names = dict.fromkeys(part.name for part in parts)
    given = dict.fromkeys(start for name in names for start in accumulate(name.split("."), "{}.{}".format))
    others = {_FIRST_NAME.split(variable.name)[0] for variable in model.variables if variable.name not in names}
    return _KnownNames(names, given, others)


def _unknown_names(known: _KnownNames, file: InputFile) -> list[str]:
    """A warning for each name that the model does not have."""
    return [
        f'Warning: file "{file.name}": the model has no parameter {name!r}, whose values are not used'
        f"{did_you_mean(name, known.given) or '.'}"
        for name in _all_names(file.values, known)
        if name not in known.variables and not name.endswith("__")
    ]


def _all_names(values: Mapping[str, Value], known: _KnownNames) -> Iterator[str]:
    """The names in a file that are neither parameters nor tuples, slot by slot."""
    for name in values:
        if name not in known.given:
            yield name
        elif name not in known.parts and isinstance(value := _readable(values, name), dict):
            yield from _all_names({f"{name}.{slot}": part for slot, part in value.items()}, known)


def _readable(values: Mapping[str, Value], name: str) -> Value | None:
    """A value, or None if it is no number; what is wrong with it is said where it is used."""
    try:
        return values[name]
    except InputFileError:
        return None


def _is_readable(name: str) -> bool:
    return os.path.isfile(name) and os.access(name, os.R_OK)


class _Completion:
    """Makes unconstrained vectors of the values of some parameters.

    The others are filled in at two points; coordinates that come out differently are theirs.
    """

    def __init__(self, model: Model):
        names = [variable.name for variable in model.parameters]
        self._model = model
        self._fillings = []
        for filling in (0.0, _UNLIKE_ANY_VALUE):
            values = model.constrain(np.full(model.dim, filling, model.dtype))
            self._fillings.append({name: np.asarray(values[name]) for name in names})

    def unconstrained(self, values: Mapping[str, Array]) -> tuple[np.ndarray, np.ndarray]:
        """The vector, zero where nothing is given, and which coordinates are given.

        Raises:
            ValueError: If a value violates its constraint.
        """
        zero, other = (self._model.unconstrain({**filling, **values}) for filling in self._fillings)
        is_given = np.abs(zero - other) < _UNLIKE_ANY_VALUE / 2
        return np.where(is_given, zero, 0.0), is_given
