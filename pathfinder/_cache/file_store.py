"""A folder of files that are found by name, each of them whole and of this user, or ignored."""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pathfinder._cache.folders import pruned


LIMIT = 2**28  # bytes of all files
LARGEST = 2**25  # bytes of one
_MARK = b"pathfinder-vi\n"
_DIGEST = 32


class FileStore:
    """Keeps byte strings in files of a folder. Failures do no harm: what cannot be kept or read is not there.

    Executables are code that is run: the folder is for its owner alone, and one that others can write to is not used.

    Args:
        folder: Made when something is to be kept.
        warn: Told once if something cannot be kept.
        surroundings: What everything depends on that is kept: under other ones there is nothing.
        limit: Bytes of all files, beyond which the oldest go.
        largest: Bytes of one file; what is larger is not kept.
    """

    def __init__(
        self,
        folder: Path,
        warn: Callable[[str], None],
        surroundings: str = "",
        *,
        limit: int = LIMIT,
        largest: int = LARGEST,
    ):
        self._folder, self._warn, self._surroundings = folder, warn, surroundings
        self._limit, self._largest = limit, largest
        self._failed = False

    def read(self, name: str) -> bytes | None:
        """What was kept under a name; None if there is nothing, or it is damaged or foreign."""
        path = self._path(name)
        try:
            if not _is_private(self._folder):
                return None
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            return None
        begin = len(_MARK) + _DIGEST
        if content[:begin] != _head(content[begin:]):
            return None
        with suppress(OSError):
            os.utime(path)  # the oldest are those that were not used for longest
        return content[begin:]

    def write(self, name: str, content: bytes) -> None:
        """Keep something under a name; two processes may do so at once."""
        if self._failed or len(content) > self._largest:
            return
        temporary = self._folder / f".{secrets.token_hex(8)}.tmp"
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            if not _is_private(self._folder):
                raise PermissionError(0, "others can write to it")
            try:
                with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(_head(content))
                    file.write(content)
                os.replace(temporary, self._path(name))
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary)
                raise
            pruned(self._folder, self._limit)
        except (OSError, ValueError) as error:
            self._failed = True
            reason = getattr(error, "strerror", None) or error
            self._warn(f'Compiled programs cannot be kept in "{self._folder}": {reason}. Later runs start slower.')

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(f"{self._surroundings} {name}".encode()).hexdigest()


def _head(content: bytes) -> bytes:
    return _MARK + hashlib.sha256(content).digest()


def _is_private(folder: Path) -> bool:
    status = os.stat(folder)
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022
