"""Output files that appear complete or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


_unfinished: set[str] = set()  # temporary files that are being written


class OutputError(Exception):
    """An output file that cannot be written; the text names it and says why."""

    def __init__(self, path: str, reason: str):
        self.path = path
        super().__init__(f'Error: cannot write output file "{path}": {reason}.')


def check_writable(path: str) -> None:
    """Find out whether a file could be written, without touching one that is there.

    Raises:
        OutputError: If it could not.
    """
    temporary = _claim(path)
    if temporary is not None:
        os.unlink(temporary)


@contextmanager
def atomic_file(path: str) -> Iterator[TextIO]:
    """Open a text file for writing that takes its name only when the block ends without error.

    Until then its text is in a hidden file in the same folder, which any exception, an interrupt
    included, removes. A link is followed. What renaming would replace instead of fill, such as
    `/dev/null` or a named pipe, is written to directly, and so is a file in a folder where none
    can be created.

    Raises:
        OutputError: If the file cannot be opened, written, or renamed.
    """
    with (
        _whole_file(path) as name,
        open(name, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file,
    ):
        yield file


def atomic_bytes(path: str, content: bytes) -> None:
    """Write a file as `atomic_file` does.

    Raises:
        OutputError: If it cannot be opened, written, or renamed.
    """
    with _whole_file(path) as name, open(name, "wb") as file:
        file.write(content)


@contextmanager
def _whole_file(path: str) -> Iterator[str]:
    """The name to write to in place of a file's own, which what was written takes in the end."""
    temporary = _claim(path)
    if temporary is not None:
        _unfinished.add(temporary)
    try:
        yield temporary or path
        if temporary is not None:
            target = os.path.realpath(path)
            _keep_mode(target, temporary)
            os.replace(temporary, target)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):
            raise OutputError(path, _reason(path, error)) from error
        raise
    finally:
        _unfinished.discard(temporary or "")


def remove_unfinished() -> None:
    """Remove the temporary files that are being written, when the process ends at once."""
    # A copy, since this runs in another thread than the one that writes and may just now be done.
    for temporary in list(_unfinished):
        with suppress(OSError):
            os.unlink(temporary)


def _claim(path: str) -> str | None:
    """Create an empty file to be renamed to `path`; None if `path` is to be written directly."""
    try:
        exists = _exists(path)
        if exists:
            _check_access(path)
        # `/dev/stdout` may be a regular file, but must stay the same one
        if path.startswith(("/dev/", "/proc/")) or (exists and not os.path.isfile(path)):
            return None
        # In the folder of the target itself: renaming is atomic only within a file system.
        target = os.path.realpath(path)
        folder = os.path.dirname(target)
        if exists and not os.access(folder, os.W_OK | os.X_OK):
            return None
        temporary = os.path.join(folder, f".pathfinder-{secrets.token_hex(8)}.tmp")
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        return temporary
    except (OSError, ValueError) as error:
        raise OutputError(path, _reason(path, error)) from error


def _exists(path: str) -> bool:
    """As `os.path.exists`, but other reasons than a missing file are errors."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    return True


def _check_access(path: str) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError("it is a folder")
    if not os.access(path, os.W_OK):
        raise PermissionError("Permission denied")


def _keep_mode(target: str, temporary: str) -> None:
    with suppress(FileNotFoundError):
        os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))


def _reason(path: str, error: Exception) -> str:
    folder = os.path.dirname(path) or "."
    if isinstance(error, FileNotFoundError) and not os.path.isdir(folder):
        return f'the folder "{folder}" does not exist'
    return getattr(error, "strerror", None) or str(error)
