"""Programs, included texts and data that are given as files; the only part that opens any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pathfinder._data_files import parse_json, parse_rdump
from pathfinder._data_files.texts import decoded, found_text
from pathfinder.stan._checking.programs import CheckedProgram, check
from pathfinder.stan._parsing.programs import parse


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
    with open(path, "rb") as file:
        text = decoded(file.read())
    folder = path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")
    return check(parse(text, name=path, read_include=reader([folder, *folders])))


def reader(folders: Sequence[str]) -> Callable[[str], str]:
    """What finds included files in some folders; raises FileNotFoundError if none has it."""
    return lambda name: found_text(name, folders)


def load_data(data: Any) -> Mapping[str, Any]:
    """Data as a mapping; a path is that of a file in one of CmdStan's forms.

    Args:
        data: A mapping, None, or the path of a JSON file if it ends in `.json`, of an R dump otherwise.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not in its form; the message tells the line and the column.
    """
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return data
    path = _path(data)
    with open(path, "rb") as file:
        raw = file.read()
    return parse_json(raw, path) if path.endswith(".json") else parse_rdump(raw, path)


def _path(path: Any) -> str:
    return path.__fspath__() if hasattr(path, "__fspath__") else path
