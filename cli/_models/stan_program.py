"""Stan programs as models."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pathfinder._data_files.texts import decoded
from pathfinder_cli._console.streams import write_stderr, write_stdout
from pathfinder_cli._errors import InputError, RunError
from pathfinder_cli._inputs.input_file import InputFile
from pathfinder_cli._inputs.validate import Declaration, Purpose, validate_variable
from pathfinder_cli._models.source import nothing_to_fit


if TYPE_CHECKING:
    from pathfinder import Model
    from pathfinder.stan import CheckedProgram, Diagnostic, StanError
    from pathfinder.stan._program.data import DataSlot
    from pathfinder.stan._syntax.source import Span
    from pathfinder_cli._models.source import ModelOptions, ModelSource


_RULE = f"   {'-' * 49}"


def check(source: "ModelSource") -> None:
    """Find what is wrong with the program.

    Raises:
        RunError: If something is.
    """
    checked_program(source)


def check_model(source: "ModelSource") -> None:
    """Print the warnings; all else has been found by `check`."""
    checked = checked_program(source)
    for warning in (*checked.program.warnings, *checked.warnings):
        write_stderr(f"Warning: {warning}\n")


def included(source: "ModelSource") -> dict[str, str]:
    """The texts that the program includes, by name."""
    return _parsed(source)[1]


def _print(line: str) -> None:
    write_stdout(f"{line}\n")


def bind(
    source: "ModelSource",
    data: InputFile,
    options: "ModelOptions",
    print_line: Callable[[str], None] = _print,
) -> "Model":
    """The model with its data; what the program prints goes to stdout.

    Raises:
        RunError: If it cannot be evaluated with these data.
        InputError: If the data do not fit.
    """
    from pathfinder import Model
    from pathfinder.stan._program.model_fields import model_fields

    fields = model_fields(
        checked_program(source),
        program_data(source, data),
        seed=options.seed,
        simplex=options.simplex,
        name=source.stem,
        print_line=print_line,
        prints=options.prints,
    )
    return Model(**fields)


def explained(source: "ModelSource", data: InputFile) -> str:
    """How the loops of the program are compiled with these data."""
    from pathfinder.stan._program.explain import explain_bound
    from pathfinder.stan._program.program import bind

    return explain_bound(bind(checked_program(source), program_data(source, data)))


@contextmanager
def running(source: "ModelSource") -> Iterator[None]:
    """Report what goes wrong in the program with its place; print warnings about it on stderr.

    Raises:
        RunError: In place of such an exception; others pass.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("always", category=UserWarning)
            warnings.showwarning = _warn(warnings.showwarning)
            yield
    except Exception as error:
        told = _told_of(error, source)
        if told is None:
            raise
        raise told from error


def _told_of(error: Exception, source: "ModelSource") -> RunError | None:
    """The error of the run that an exception of the program becomes; None if it is none of the program's."""
    # Only now, since a program that was kept needs nothing of this.
    from pathfinder._errors import NoParametersError
    from pathfinder.stan import StanError
    from pathfinder.stan._state.errors import StanRejectError

    if isinstance(error, NoParametersError):
        return nothing_to_fit(source)
    if not isinstance(error, StanError):
        return None
    diagnostic = error.diagnostic
    message = error.reason if isinstance(error, StanRejectError) else diagnostic.message
    return RunError(f"Exception: {message} (in {_location(diagnostic.span)})\nError: {error}")


def _warn(show: Callable[..., None]) -> Callable[..., None]:
    """A replacement of `warnings.showwarning` for warnings that are meant for the user of a program."""

    def showwarning(message: Warning | str, category: type[Warning], *details: Any, **more: Any) -> None:
        if category is UserWarning:
            write_stderr(f"Warning: {message}\n")
        else:
            show(message, category, *details, **more)

    return showwarning


def checked_program(source: "ModelSource") -> "CheckedProgram":
    """The program, which is parsed and checked once.

    Raises:
        RunError: If it is wrong, in stanc's words for the place.
    """
    return _parsed(source)[0]


def program_data(source: "ModelSource", file: InputFile) -> "dict[str, object]":
    """The values of the data block.

    Raises:
        InputError: If they do not fit the program.
    """
    from pathfinder.stan import StanDataError
    from pathfinder.stan._program.data import read_data

    purpose = Purpose("data initialization", source.model_name)

    def take(slot: "DataSlot") -> np.ndarray:
        shape = (*slot.shape, 2) if slot.base == "complex" else slot.shape
        base = "int" if slot.base == "int" else "real"
        declaration = Declaration(slot.name, base, shape, slot.lower, slot.upper, _location(slot.node.span, ends=1))
        values = validate_variable(declaration, file, purpose)
        assert values is not None  # none may be missing
        return values

    try:
        return read_data(checked_program(source), take)
    except StanDataError as error:
        diagnostic, model = error.diagnostic, source.model_name
        where = f'file "{file.name}": ' if file.name else ""
        message = f"{model}_namespace::{model}: {diagnostic.message}"
        raise InputError(
            f"Exception: {message} (in {_location(diagnostic.span, ends=1)})", f"{where}{diagnostic.message}"
        ) from error


@lru_cache(maxsize=8)
def _parsed(source: "ModelSource") -> "tuple[CheckedProgram, dict[str, str]]":
    from pathfinder.stan import StanError, StanSyntaxError, check, parse

    found: dict[str, str] = {}

    def read_include(name: str) -> str:
        found[name] = source.included_text(name)
        return found[name]

    try:
        return check(parse(decoded(source.text), name=source.path, read_include=read_include)), found
    except StanError as error:
        kind = "Syntax" if isinstance(error, StanSyntaxError) else "Semantic"
        raise RunError(_diagnosed(kind, error)) from error


def _diagnosed(kind: str, error: "StanError") -> str:
    """What stanc prints, but for its wording of the mistake, and a line that begins with `Error`."""
    span = error.diagnostic.span
    suffix = ", parsing error:" if kind == "Syntax" else ":"
    place = _location(span).partition(",")[2]
    lines = [f"{kind} error in '{span.source.name}',{place}{suffix}", _RULE]
    for number in range(max(1, span.line - 2), span.line + 1):
        lines.append(f"{number:6d}:  {span.source.line(number)}")
    lines += [f"{' ' * 9}{' ' * (span.column - 1)}^", _RULE, ""]
    return "\n".join([*lines, f"Error: {_told(error.diagnostic)}"])


def _told(diagnostic: "Diagnostic") -> str:
    included_from = []
    at = diagnostic.span.source.included_at
    while at is not None:
        included_from.append(f"included from {at.location()}")
        at = at.source.included_at
    text = f"{diagnostic.span.location()}: {diagnostic.message}"
    return "\n".join([text, *included_from, *([diagnostic.hint] if diagnostic.hint else [])])


def _location(span: "Span", ends: int = 0) -> str:
    """A place in CmdStan's words: columns from 0, the end after the last character and `ends` more."""
    name = os.path.basename(span.source.name)
    line, end = span.source.position(span.end + ends)
    last = f"column {end - 1}" if line == span.line else f"line {line}, column {end - 1}"
    return f"'{name}', line {span.line}, column {span.column - 1} to {last}"
