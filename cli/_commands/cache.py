"""`pathfinder cache`: where compiled programs are kept, how large that is, and how to be rid of them."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pathfinder._cache.folders import JAX_VARIABLE, models_folder, programs_folder
from pathfinder_cli._arguments.options import listed, wants_help
from pathfinder_cli._console.streams import write_stdout
from pathfinder_cli._errors import RunError, UsageError


HELP = """\
Usage: pathfinder cache [--clear]

Print the folders where compiled programs and Stan programs with their data are kept for later runs,
and how large they are. With --clear, empty them. They are in the user's cache folder, or where the
variable JAX_COMPILATION_CACHE_DIR says; what other programs of JAX keep there is left alone.
"""


def main(words: Sequence[str]) -> int:
    """Run the command with the words after its name."""
    if wants_help(words):
        write_stdout(HELP)
        return 0
    others = [word for word in words if word != "--clear"]
    if others:
        raise UsageError(f"Error: pathfinder cache takes --clear alone{listed(others)}.\n\n{HELP}")
    folders = own_folders(os.environ)
    if not folders:
        write_stdout(f"Nothing is kept, since {JAX_VARIABLE} is empty.\n")
    for folder in folders:
        files = _files(folder)
        if words:
            _remove(files)
            left = _files(folder)
            if left:
                raise RunError(f'Error: {len(left)} files in "{folder}" cannot be removed.')
        size = sum(size for _, size in files)
        write_stdout(f"{'Removed from ' if words else ''}{folder}: {len(files)} files, {size / 1e6:.1f} MB\n")
    return 0


def own_folders(environ: Mapping[str, str]) -> list[Path]:
    """The folders that nobody else writes to."""
    models = models_folder(sys.platform, environ)
    programs = [] if JAX_VARIABLE in environ else [Path(programs_folder(sys.platform, environ))]
    return [*([] if models is None else [models]), *programs]


def _files(folder: Path) -> list[tuple[Path, int]]:
    """The files in a folder, and their sizes."""
    found = []
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            with suppress(OSError):  # another process may just have removed it
                if path.is_file():
                    found.append((path, path.stat().st_size))
    return found


def _remove(files: Sequence[tuple[Path, int]]) -> None:
    for path, _ in files:
        with suppress(OSError):
            path.unlink()
