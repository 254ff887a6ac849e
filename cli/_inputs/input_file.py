"""Input files: their format, and the error of a missing one."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pathfinder_cli._arguments.file_names import split_suffix
from pathfinder_cli._arguments.similar_files import similar_file
from pathfinder_cli._console.texts import cannot_open
from pathfinder_cli._errors import InputError


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pathfinder._data_files import Value


class InputFile(NamedTuple):
    """The variables of a file of data or initial values; the values are those of `parse_json`.

    Of what is no number, `values` raises an InputFileError when it is looked up.
    """

    name: str
    format: Literal["json", "rdump"]
    values: "Mapping[str, Value]"


def read_input_file(name: str) -> InputFile:
    """Read data or initial values: JSON if the name ends in `.json`, R dump otherwise.

    Args:
        name: Path of the file as the user gave it; empty stands for no file, that is no values.

    Raises:
        InputError: If the file cannot be opened, or not be read as what its name says.
    """
    if not name:
        return InputFile("", "json", {})
    try:
        raw = Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        folder = "" if os.path.isabs(name) else f" (looked in {_current_folder()})"
        raise InputError(
            cannot_open(name), f'cannot read "{name}": {reason}{folder}{similar_file(name) or "."}'
        ) from error
    return parsed_input(name, raw)


def parsed_input(name: str, raw: bytes) -> InputFile:
    """The variables in the bytes of a file; arguments and errors as of `read_input_file`."""
    if not name:
        return InputFile("", "json", {})
    from pathfinder._data_files import InputFileError, parse_json, parse_rdump

    try:
        if split_suffix(name)[1] == ".json":
            return InputFile(name, "json", parse_json(raw, name))
        return InputFile(name, "rdump", parse_rdump(raw, name))
    except InputFileError as error:
        raise InputError(error.message, error.detail) from error


def absence(name: str, file_name: str, known: "Iterable[str]") -> str:
    """What to say of a variable that the model needs and does not find.

    Args:
        name: Its name.
        file_name: The file of data, "" if none was given.
        known: The variables in the file.
    """
    if not file_name:
        return f"the model needs `{name}`, but no data file was given; use `data file=<name>`"
    return f"the model needs `{name}`; the file has {', '.join(f'`{other}`' for other in known) or 'no variables'}"


def input_warnings(name: str) -> list[str]:
    """What to warn of before reading a file; each text without a final newline."""
    if not name or split_suffix(name)[1] == ".json":
        return []
    return [
        f"Warning: file '{name}' is being read as an 'RDump' file.\n"
        "\tThis format is deprecated and will not receive new features.\n"
        "\tConsider saving your data in JSON format instead."
    ]


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "a folder that is not there any more"
