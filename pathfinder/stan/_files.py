"""Programs, included texts and data that are given as files; the only part that opens any."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pathfinder.stan._parser import parse
from pathfinder.stan._typecheck import CheckedProgram, check


_QUOTED = {"NaN": float("nan"), "Inf": float("inf"), "Infinity": float("inf")}
_QUOTED |= {"-Inf": -float("inf"), "-Infinity": -float("inf")}


def is_file(program: Any) -> bool:
    """Whether a program is given by the name of its file, and not by its text."""
    return hasattr(program, "__fspath__") or (program.endswith(".stan") and "\n" not in program)


def load(program: Any, include_paths: Sequence[Any] = ()) -> CheckedProgram:
    """Read and check a program.

    Args:
        program: A path that ends in `.stan`, or the text.
        include_paths: Folders to look for included files in, after that of the program.

    Raises:
        OSError: If the file cannot be read.
        StanError: If it is no Stan program; the message shows the place.
    """
    folders = [_path(folder) for folder in include_paths]
    if not is_file(program):
        return check(parse(program, read_include=reader(folders)))
    path = _path(program)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    folder = path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")
    return check(parse(text, name=path, read_include=reader([folder, *folders])))


def reader(folders: Sequence[str]) -> Callable[[str], str]:
    """What finds included files in some folders; raises FileNotFoundError if none has it."""

    def read_include(name: str) -> str:
        for folder in folders:
            try:
                with open(name if name.startswith("/") else f"{folder}/{name}", encoding="utf-8") as file:
                    return file.read()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                continue
        raise FileNotFoundError(name)

    return read_include


def load_data(data: Any) -> Mapping[str, Any]:
    """Data as a mapping; a path is that of a JSON file in CmdStan's form.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no JSON object.
    """
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return data
    path = _path(data)
    with open(path, encoding="utf-8") as file:
        try:
            values = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is no JSON file: {error}. Data in R's dump format are not read here.") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no JSON object with the variables by name.")
    return {name: _numbers(value) for name, value in values.items()}


def _numbers(value: Any) -> Any:
    """With the strings by which JSON tells of numbers that are not finite replaced."""
    if isinstance(value, list):
        return [_numbers(element) for element in value]
    if isinstance(value, dict):
        return {name: _numbers(element) for name, element in value.items()}
    return _QUOTED.get(value, value) if isinstance(value, str) else value


def _path(path: Any) -> str:
    return path.__fspath__() if hasattr(path, "__fspath__") else path
