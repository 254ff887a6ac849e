"""Writing to stdout and stderr, message by message.

A reader that goes away (`pathfinder ... | head`) does not end a run: what follows is dropped.
"""

import os
import sys
from contextlib import suppress
from typing import TextIO

from pathfinder_cli._errors import RunError


def write_stdout(text: str) -> None:
    """Print a text as it is, at once.

    Raises:
        RunError: If it cannot be written, for another reason than a reader that went away.
    """
    _write(sys.stdout, text, "standard output")


def write_stderr(text: str) -> None:
    """Print a text as it is, at once; nothing can be said if that fails."""
    with suppress(RunError):
        _write(sys.stderr, text, "standard error")


def print_line(message: str) -> None:
    """Print a message and a line break on stdout, as `write_stdout` does."""
    write_stdout(f"{message}\n")


def print_error_line(message: str) -> None:
    """Print a message and a line break on stderr."""
    write_stderr(f"{message}\n")


def _write(stream: TextIO | None, text: str, name: str) -> None:
    if stream is None:  # the process was started with the stream closed
        return
    try:
        stream.write(_encodable(text, stream))
        stream.flush()
    except OSError as error:
        _drop_what_follows(stream)
        if not isinstance(error, BrokenPipeError):
            raise RunError(f"Error: cannot write to {name}: {error.strerror}.") from error


def _encodable(text: str, stream: TextIO) -> str:
    """The text with what the stream cannot encode, such as undecodable bytes of a file's name, written escaped."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding, stream.errors or "strict")
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def _drop_what_follows(stream: TextIO) -> None:
    """Lead the stream nowhere, also what is still in its buffer and is written when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
