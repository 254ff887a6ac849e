"""Model files in Python: a function `model(data)` that returns a `pathfinder.Model`.

`data` is a dictionary of what the data file holds: numbers, and arrays indexed as in the file. A
file may say what it expects in `data_block`, and then gets just that. It is run as Python runs a
script, with its own folder first on the path, so it can import its neighbours.
"""

import inspect
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from pathfinder_cli._errors import InputError, RunError
from pathfinder_cli._inputs.input_file import InputFile, absence
from pathfinder_cli._models import data_block
from pathfinder_cli._models.source import nothing_to_fit


if TYPE_CHECKING:
    from pathfinder import Model
    from pathfinder._data_files import Value
    from pathfinder_cli._models.source import ModelOptions, ModelSource


_STAGE = "processing stage=data initialization"


class MissingData(InputError, KeyError):
    """A variable that a model asked for and the data file does not have."""

    def __str__(self) -> str:
        return f"{self.message}\nError: {self.detail}"  # KeyError would quote it


class FileData(dict[str, Any]):
    """The variables of a data file; asking for one it lacks is an error that says what it has."""

    def __init__(self, values: "Mapping[str, Value]", file_name: str):
        from pathfinder._data_files import InputFileError

        super().__init__()
        self._file_name = file_name
        self._refused: dict[str, InputFileError] = {}
        for name in values:
            try:
                self[name] = _plain(values[name])
            except InputFileError as error:
                self._refused[name] = error

    def __missing__(self, name: str) -> NoReturn:
        if name in self._refused:
            raise MissingData(self._refused[name].message, self._refused[name].detail) from self._refused[name]
        message = f"Exception: variable does not exist; {_STAGE}; variable name={name}"
        where = f'file "{self._file_name}": ' if self._file_name else ""
        raise MissingData(message, f"{where}{absence(name, self._file_name, self)}.")


def check(source: "ModelSource") -> None:
    """Find mistakes of syntax.

    Raises:
        RunError: If there is one.
    """
    _compiled(source)


def bind(source: "ModelSource", data: InputFile, options: "ModelOptions") -> "Model":
    """Run the file and call its function `model`.

    Raises:
        RunError: If the file has no such function, or the function returns something else; or options are for programs
            in Stan only.
        InputError: If the model asks for data that are not there.
    """
    import pathfinder

    if options.prints or options.simplex != "ilr":
        raise RunError(
            f"Error: engine simplex and engine print are for Stan programs; {source.path} is a Python file, which says "
            "itself what it prints and how it unconstrains its parameters."
        )
    module = _load(source)
    values = data.values
    block = getattr(module, data_block.NAME, None)
    if isinstance(block, str):
        program = source.text.decode("utf-8", "replace")
        path = os.path.basename(source.path)
        values = data_block.check_data(block, data, model_name=source.model_name, program=program, path=path)
    model = module.model(FileData(values, data.name))
    if not isinstance(model, pathfinder.Model):
        raise RunError(f"Error: {source.path}: model(data) must return a pathfinder.Model, not {_described(model)}.")
    return model


def check_model(source: "ModelSource") -> None:
    """Run the file and look for its function `model`.

    Raises:
        RunError: If it has none.
    """
    _load(source)


def included(source: "ModelSource") -> dict[str, str]:
    """Nothing: neighbours are imported where they are."""
    return {}


@contextmanager
def running(source: "ModelSource") -> Iterator[None]:
    """Let the model import its neighbours, and report exceptions of its code with their place in it.

    Raises:
        RunError: In place of such an exception; others pass.
    """
    from pathfinder._errors import NoParametersError

    path = list(sys.path)
    sys.path.insert(0, os.path.dirname(_absolute(source)))
    try:
        yield
    except (RunError, InputError):
        raise
    except NoParametersError as error:
        raise nothing_to_fit(source) from error
    except (Exception, SystemExit) as error:
        if isinstance(error, SyntaxError) and error.filename:
            raise _syntax_error(error, error.filename) from error
        place = _innermost_place(error, source)
        if place is None:
            raise
        raise RunError(f"Error: {place}: {_told(error)}") from error
    finally:
        sys.path[:] = path


def _load(source: "ModelSource") -> ModuleType:
    module = ModuleType(f"_pathfinder_model_{source.stem}")
    module.__file__ = _absolute(source)
    sys.modules[module.__name__] = module  # where dataclasses and pickle look it up
    exec(_compiled(source), module.__dict__)
    function = getattr(module, "model", None)
    if not callable(function):
        raise RunError(
            f"Error: {source.path} has no function `model`. A model file defines model(data), which takes the data as "
            "a dictionary and returns a pathfinder.Model."
        )
    try:
        inspect.signature(function).bind({})
    except TypeError as error:
        raise RunError(f"Error: {source.path}: model is called as model(data), but: {error}.") from error
    except ValueError:
        pass  # some callables have no signature to look at; calling them will tell
    return module


def _compiled(source: "ModelSource") -> CodeType:
    try:
        return compile(source.text, _absolute(source), "exec")
    except SyntaxError as error:
        raise _syntax_error(error, source.path) from error
    except ValueError as error:  # null bytes, in Python 3.11
        raise RunError(f"Error: {source.path} is not a Python program: {error}.") from error


def _syntax_error(error: SyntaxError, path: str) -> RunError:
    text = (error.text or "").strip()
    return RunError(f"Error: {path}, line {error.lineno}: {error.msg}" + (f": {text}" if text else ""))


def _innermost_place(error: BaseException, source: "ModelSource") -> str | None:
    """Where an error began: the engine words errors of a density anew, and they are the causes of its own."""
    cause = error.__cause__
    # JAX gives as a cause where an operation was written that it transformed: there is a place nearer to the error.
    if cause is None or type(cause).__module__.partition(".")[0] == "jax":
        return _place(error.__traceback__, source)
    return _innermost_place(cause, source) or _place(error.__traceback__, source)


def _place(trace: TracebackType | None, source: "ModelSource") -> str | None:
    """The innermost line of the model's file or of its neighbours in a traceback, None if there is none."""
    own = _absolute(source)
    folder = os.path.dirname(own)
    for frame in reversed(traceback.extract_tb(trace)):
        if os.path.dirname(frame.filename) == folder:
            shown = source.path if frame.filename == own else os.path.relpath(frame.filename)
            function = "" if frame.name.startswith("<") else f", in {frame.name}"
            return f"{shown}, line {frame.lineno}{function}"
    return None


def _told(error: BaseException) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _absolute(source: "ModelSource") -> str:
    return str(Path(source.path).absolute())


def _plain(value: "Value") -> Any:
    """Scalars as Python numbers, which serve as sizes; slots of tuples likewise."""
    if isinstance(value, dict):
        return {name: _plain(slot) for name, slot in value.items()}
    return value.item() if value.ndim == 0 else np.array(value)


def _described(value: Any) -> str:
    return "None (is a `return` missing?)" if value is None else f"an object of type {type(value).__name__}"
