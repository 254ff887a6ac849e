"""Stan programs that were run before with the same data: neither read, nor traced, nor compiled again.

What is kept is the model with its data as the engine sees it (`stored_model`), and next to it the executables. Its key
is made of all that they depend on.
"""

import hashlib
import json
import os
import re
import stat
import sys
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pathfinder._arrays.packed import packed, unpacked
from pathfinder._cache.file_store import FileStore
from pathfinder._cache.folders import models_folder
from pathfinder._cache.versions import compiler, evaluator
from pathfinder_cli._console.streams import write_stderr, write_stdout
from pathfinder_cli._inputs.input_file import InputFile, parsed_input
from pathfinder_cli._models import stan_program
from pathfinder_cli._models.known_runs import KnownRun, KnownRuns


if TYPE_CHECKING:
    from pathfinder import Model
    from pathfinder_cli._models.source import ModelOptions, ModelSource


_FORM = 2  # of what is kept
_TRANSFORMED_DATA = re.compile(rb"transformed(\s|/\*.*?\*/|//[^\n]*\n)*(data\b|#include)", re.DOTALL)


class KeptProgram:
    """The place of a Stan program with its data, among what is kept between runs.

    Args:
        source: The program.
        file: The name of its data file, and the bytes in it.
        options: Options of the model.
        precision: Of its arithmetic, "single" or "double".
        store: Where it is kept.
        versions: What the text of its compiled program depends on besides.
        runs: What is known of runs of the program.
    """

    def __init__(
        self,
        source: "ModelSource",
        file: tuple[str, bytes],
        options: "ModelOptions",
        precision: Literal["single", "double"],
        store: FileStore,
        versions: str,
        runs: "KnownRuns",
    ):
        self._source, self._file, self._options, self._store = source, file, options, store
        self._run, self._runs = KnownRun.of(file[0], options.simplex, precision), runs
        self._included = source.all_texts()
        self._key = _digest(versions, _parts(source, self._included, file, options, precision))
        self._content = self._read()

    @property
    def is_there(self) -> bool:
        """Whether it is kept."""
        return self._content is not None

    def model(self, data: InputFile | None) -> "Model":
        """The model, which will be kept if it is not yet.

        Args:
            data: The data, if it has to be bound to them.
        """
        from pathfinder._model.stored_model import model_bytes, stored_model, storing_model

        if self._content is not None:
            try:
                return stored_model(self._content, self._key, self._store, self._source.stem, self._bound)
            except ValueError:
                data = parsed_input(*self._file)
        assert data is not None
        with _noted() as (said, print_line):
            model = stan_program.bind(self._source, data, self._options, print_line)
        content = model_bytes(model)
        # What is said would be said only once; and the key has to be that of the texts that were read.
        if said or content is None or not stan_program.included(self._source).items() <= self._included.items():
            return model
        self._store.write(self._key, packed({"form": _FORM}, [content]))
        self._content = content
        self._runs.add(self._run)
        return storing_model(model, self._key, self._store)

    def _bound(self) -> "Model":
        return stan_program.bind(self._source, parsed_input(*self._file), self._options)

    def _read(self) -> bytes | None:
        """What is kept of the program."""
        kept = self._store.read(self._key)
        try:
            _, (content,) = unpacked(kept or b"")
        except ValueError:
            return None
        return content


def kept_program(
    source: "ModelSource",
    data_file: str,
    options: "ModelOptions",
    precision: Literal["single", "double"],
    environ: Mapping[str, str],
) -> KeptProgram | None:
    """The place of a model; None if nothing of it is to be kept.

    That is so for other models than Stan programs, for those that print at every evaluation, for data from a pipe, and
    if the user wants no such files.
    """
    folder = models_folder(sys.platform, environ)
    if folder is None or options.prints or not source.path.endswith(".stan"):
        return None
    try:
        if data_file and not stat.S_ISREG(os.stat(data_file).st_mode):
            return None
        content = b""
        if data_file:
            with open(data_file, "rb") as file:
                content = file.read()
    except (OSError, ValueError):
        return None  # it will be told of when its turn comes
    store = FileStore(folder, lambda text: write_stderr(f"Warning: {text}\n"), compiler(environ))
    runs = KnownRuns(source, folder)
    return KeptProgram(source, (data_file, content), options, precision, store, evaluator(), runs)


def _parts(
    source: "ModelSource",
    included: Mapping[str, str],
    file: tuple[str, bytes],
    options: "ModelOptions",
    precision: Literal["single", "double"],
) -> list[Any]:
    """What a model depends on."""
    name, content = file
    text = b"\n".join([source.text, *(text.encode() for text in included.values())])
    is_random = b"_rng" in text and _TRANSFORMED_DATA.search(text)
    return [
        _FORM,
        _digest(source.text),
        sorted((name, _digest(text)) for name, text in included.items()),
        _digest(content),
        name.endswith(".json"),
        options.seed if is_random else None,
        options.simplex,
        precision,
    ]


@contextmanager
def _noted():
    """Whether anything is printed or warned of meanwhile, and how to print."""
    said: list[str] = []
    show = warnings.showwarning

    def print_line(line: str) -> None:
        said.append(line)
        write_stdout(f"{line}\n")

    def showwarning(message: Warning | str, *details: Any, **more: Any) -> None:
        said.append(str(message))
        show(message, *details, **more)

    warnings.showwarning = showwarning
    try:
        yield said, print_line
    finally:
        warnings.showwarning = show


def _digest(*parts: Any) -> str:
    if len(parts) == 1 and isinstance(parts[0], bytes):
        return hashlib.sha256(parts[0]).hexdigest()
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
