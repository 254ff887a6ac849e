"""Which files the paths take their initial values from.

With several paths, `init=x.json` stands for `x_1.json`, `x_2.json` and so on, or for `x.json`
itself; CmdStanPy relies on this and writes the numbered files only.
"""

from collections.abc import Callable, Iterator

from pathfinder_cli._arguments.file_names import split_suffix
from pathfinder_cli._arguments.similar_files import similar_file
from pathfinder_cli._console.texts import cannot_open
from pathfinder_cli._errors import UsageError


_EXTENSIONS = (".json", ".R")


def init_files(name: str, *, num_paths: int, first_id: int, exists: Callable[[str], bool]) -> tuple[str, ...]:
    """The file of each path.

    CmdStan uses the name as it is when there is one path, and drops a second suffix when there
    are several (`init.v1.json` looks for `init_1.json`). Here a single path may use its numbered
    file if there is no file of that name, and `init.v1_1.json` is looked for as well.

    Args:
        name: The value of `init=`.
        num_paths: Number of paths.
        first_id: Number of the first path, the value of `id=`.
        exists: Whether a file can be opened.

    Raises:
        UsageError: If files are missing, or their extension is not known.
    """
    if num_paths == 1 and exists(name):
        return (name,)
    base, dot, after_dot = name.rpartition(".")
    extension = dot + after_dot
    if num_paths > 1 and extension not in _EXTENSIONS:
        raise _unknown_extension(name, extension)
    first = ""
    for numbered_base in _bases(base) if extension in _EXTENSIONS else ():
        candidate = f"{numbered_base}_{first_id}{extension}"
        first = first or candidate
        if exists(candidate):
            return _numbered(name, numbered_base, extension, range(first_id, first_id + num_paths), exists)
    question = similar_file(name) or "."
    if num_paths == 1:
        raise _error(f"{cannot_open(name)}\n", f'there is no readable file "{name}"{question} See init=.')
    if exists(name):
        return (name,) * num_paths
    raise _error(
        f'Searching for  ""{first}" and base file "{name}""\nCan\'t open either of specified files,\n',
        f'neither "{first}", of the first path, nor "{name}", for all paths, can be read{question} See init=.',
    )


def _unknown_extension(name: str, extension: str) -> UsageError:
    message = f"file ending of {extension} is not supported by cmdstan"
    if "." not in name:
        message = f'Found: "{name}" but user specified files must end in .json or .R'
    return _error(message, "init= takes a finite radius >= 0, or a file whose name ends in .json or .R.")


def _bases(base: str) -> Iterator[str]:
    without_suffix = split_suffix(base)[0]
    yield without_suffix
    if without_suffix != base:
        yield base


def _numbered(name: str, base: str, extension: str, ids: range, exists: Callable[[str], bool]) -> tuple[str, ...]:
    files = tuple(f"{base}_{number}{extension}" for number in ids)
    for file in files:
        if not exists(file):
            raise _error(
                f'Found "{files[0]}" but cannot open "{file}"',
                f'each path needs its own file, up to "{files[-1]}", or all of them share "{name}".',
            )
    return files


def _error(message: str, advice: str) -> UsageError:
    return UsageError(f"{message}\nError: {advice}\n")
