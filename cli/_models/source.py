"""The kinds of model files, and what is known of one before it is loaded.

A further kind is one further entry of `KINDS`, and a module with the functions of `ModelModule`.
"""

import importlib
import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from pathfinder_cli._arguments.file_names import split_suffix
from pathfinder_cli._arguments.similar_files import similar_file
from pathfinder_cli._console import texts
from pathfinder_cli._errors import RunError


if TYPE_CHECKING:
    from pathfinder import Model
    from pathfinder_cli._inputs.input_file import InputFile


_INCLUDE = re.compile(r'#include[ \t\f\r\n]+("[^"\r\n]*"|<[^>\r\n]*>|[^ \t\f\r\n]+)')  # as of the lexer


@dataclass(frozen=True)
class ModelSource:
    """A model's program.

    Args:
        path: Its file, as the user named it; that file need not exist any more.
        text: Its content.
        include_paths: Folders to look for texts in that it includes, after its own.
        included: Such texts by name, which then need not exist any more either.
        simplex: How simplexes are unconstrained unless the command line says otherwise.
    """

    path: str
    text: bytes
    include_paths: tuple[str, ...] = ()
    included: tuple[tuple[str, str], ...] = ()
    simplex: str = "ilr"

    @classmethod
    def read(cls, path: str, include_paths: Sequence[str] = (), simplex: str = "ilr") -> "ModelSource":
        """Read a model file.

        Raises:
            RunError: If its kind is not known, or it cannot be read.
        """
        _kind_of(path)
        try:
            return cls(path, Path(path).read_bytes(), tuple(include_paths), simplex=simplex)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise RunError(
                f'Error: cannot read the model file "{path}": {reason}{similar_file(path) or "."}'
            ) from error

    @classmethod
    def read_stan(cls, command: str, path: str, include_paths: Sequence[str]) -> "ModelSource":
        """Read the Stan program that a command wants.

        Raises:
            RunError: If it is a model of another kind, or cannot be read.
        """
        if split_suffix(path)[1] != ".stan":
            question = similar_file(path) or "."
            raise RunError(
                f'Error: pathfinder {command} takes a Stan program, but "{path}" does not end in .stan{question}'
            )
        return cls.read(path, include_paths)

    def included_text(self, name: str) -> str:
        """The text that is included by a name: what is held with the program, or else in a file.

        Raises:
            OSError: If there is no such file.
        """
        from pathfinder._data_files.texts import found_text  # which loads NumPy

        held = dict(self.included)
        folders = [os.path.dirname(self.path) or ".", *self.include_paths]
        return held[name] if name in held else found_text(name, folders)

    def all_texts(self) -> dict[str, str]:
        """The texts that a Stan program includes, and that those include, by name; without those that are not there.

        Found without parsing it, so that what only a comment includes is among them.
        """
        from pathfinder._data_files.texts import decoded

        found: dict[str, str] = {}
        waiting = [decoded(self.text)]
        while waiting:
            for name in _INCLUDE.findall(waiting.pop()):
                name = name[1:-1] if name[0] in '"<' and name[-1] in '">' else name
                if name not in found:
                    with suppress(OSError, ValueError):
                        found[name] = self.included_text(name)
                        waiting.append(found[name])
        return found

    @property
    def stem(self) -> str:
        """The file's name without folder and suffix."""
        return split_suffix(os.path.basename(self.path))[0]

    @property
    def model_name(self) -> str:
        """The name that output files give the model, as CmdStan forms it."""
        return f"{self.stem}_model"

    @property
    def module(self) -> "ModelModule":
        """The functions for models of this kind."""
        name = _kind_of(self.path).module
        return cast(ModelModule, importlib.import_module(f".{name}", __package__))


def nothing_to_fit(source: ModelSource) -> RunError:
    """The error of a model without parameters."""
    return RunError(f"{texts.no_parameters()}\nError: {source.path}: there is nothing to fit.")


class ModelOptions(NamedTuple):
    """Options that concern the model itself.

    Args:
        seed: For random numbers in transformed data.
        simplex: How simplexes are unconstrained, "ilr" or "stick_breaking".
        prints: Whether the program prints at every evaluation.
    """

    seed: int = 0
    simplex: str = "ilr"
    prints: bool = False


class ModelModule(Protocol):
    """What the module of a kind of models has to offer."""

    def check(self, source: ModelSource) -> None:
        """Find what is wrong with the text itself, without running it.

        Raises:
            RunError: If it is not a program of its kind.
        """
        ...

    def running(self, source: ModelSource) -> AbstractContextManager[None]:
        """Around everything that runs code of the model: reports what goes wrong in it as a `RunError`."""
        ...

    def bind(self, source: ModelSource, data: "InputFile", options: ModelOptions) -> "Model":
        """The model with its data.

        Raises:
            RunError: If the program is not a model.
            InputError: If the data do not fit.
        """
        ...

    def check_model(self, source: ModelSource) -> None:
        """Find what can be known to be wrong without data, at the cost of loading the program; print warnings.

        Raises:
            RunError: If it is not a model.
        """
        ...

    def included(self, source: ModelSource) -> dict[str, str]:
        """The texts that the program includes, by the names that it calls them."""
        ...


class ModelKind(NamedTuple):
    """A kind of model files: what they are, and the module that knows them."""

    description: str
    module: str


KINDS = {
    ".stan": ModelKind("a Stan program", "stan_program"),
    ".py": ModelKind("a Python file that defines model(data)", "python_file"),
}


def _kind_of(path: str) -> ModelKind:
    suffix = split_suffix(path)[1]
    if suffix not in KINDS:
        known = "; ".join(f"{suffix} ({kind.description})" for suffix, kind in KINDS.items())
        what = f"files ending in {suffix}" if suffix else "files without a suffix"
        question = similar_file(path) or "."
        raise RunError(f'Error: cannot run "{path}": {what} are no kind of model{question} The kinds are: {known}.')
    return KINDS[suffix]
