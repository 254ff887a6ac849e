"""Data and initial values in JSON, by CmdStan's rules.

Other than for `json` of the standard library, numbers may be `NaN`, `Inf` or `Infinity`, bare or
in quotes and with or without a minus sign; whole numbers beyond 32 bits are reals, as are `1.0`
and `1e3`; and nesting is no matter of recursion.
"""

import json
import math
import re
from typing import Any

from pathfinder._data_files.errors import InputFileError, locate
from pathfinder._data_files.file_variables import Variables
from pathfinder._data_files.json_tokens import Tokens, malformed
from pathfinder._data_files.json_values import MAX_DEPTH, Value, to_value


_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_QUOTED = {
    "NaN": math.nan,
    "Inf": math.inf,
    "Infinity": math.inf,
    "-Inf": -math.inf,
    "-Infinity": -math.inf,
}


def parse_json(raw: bytes, source: str) -> Variables:
    """Read the variables of a JSON text.

    Args:
        raw: The bytes of the file, UTF-8.
        source: Name of the file, for error messages.

    Returns:
        Name to value, in the order of the file. A value is an array (int64 if every element is
        a whole number within 32 bits, else float64) indexed as the lists are nested, scalars
        having shape (); or, for an object such as a tuple, a dict of values by member name. An
        array of tuples is a dict of arrays whose leading axes are those of the outer array.
        Members whose names cannot be Stan variables are left out. What is no number, such as a string,
        is an error when it is looked up.

    Raises:
        InputFileError: If the text is malformed; no other exception.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        detail = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8 without a byte order mark"
        where = locate(source, before, len(before))
        raise malformed(where, "Invalid encoding in string.", detail) from None
    return Variables(_Parser(Tokens(text, source), source).document())


class _Parser:
    """Recursive descent without the recursion: the containers being read are on `_open`."""

    def __init__(self, tokens: Tokens, source: str):
        self._tokens = tokens
        self._source = source
        self._names = tokens.names
        self._open: list[list[Any] | dict[str, Any]] = []
        self._checked = False  # whether the member being read has the name of a variable, and is a value so far
        self._refused: InputFileError | None = None  # why the member being read is no value

    def document(self) -> dict[str, Value | InputFileError]:
        tokens = self._tokens
        tokens.skip_space()
        if not tokens.peek():
            tokens.fail("The document is empty.", "expected `{`")
        if tokens.peek() == "[":
            detail = f'{tokens.where()}: expected `{{` and members `"name": value`, found `[`.'
            raise InputFileError("Expecting JSON object, found array.", detail)
        if tokens.peek() != "{":
            start = tokens.position
            self._scalar()
            tokens.position = start
            tokens.fail("expecting start of object ({) or array ([)", "expected `{`")
        variables = self._value()
        tokens.skip_space()
        if tokens.peek():
            reason = "The document root must not be followed by other values."
            tokens.fail(reason, "expected the end of the file")
        return variables

    def _value(self) -> Any:
        while True:
            value = self._scalar_or_open()
            while value is not _UNFINISHED:
                if not self._open:
                    return value
                value = self._attach(value)

    def _scalar_or_open(self) -> Any:
        """Read a value, or open a container that has elements and return `_UNFINISHED`."""
        start = self._tokens.peek()
        if start not in ("[", "{"):
            return self._scalar()
        if self._checked and len(self._open) > MAX_DEPTH:
            self._refuse("ill-formed array.", f"is nested more than {MAX_DEPTH} deep", self._tokens.position)
        flat = self._tokens.flat_array()
        if flat is not None:
            return flat
        container: list[Any] | dict[str, Any] = [] if start == "[" else {}
        self._tokens.advance()
        if self._tokens.peek() == _closing(container):
            self._tokens.position += 1
            return container
        self._open.append(container)
        if isinstance(container, dict):
            self._names.append("")
            self._member_name(container)
        return _UNFINISHED

    def _attach(self, value: Any) -> Any:
        """Store a value in its container; return the container if it is finished."""
        container = self._open[-1]
        if isinstance(container, list):
            container.append(value)
        elif len(self._open) > 1:
            container[self._names[-1]] = value
        elif self._refused is not None:
            container[self._names[0]] = self._refused
        elif self._checked:
            container[self._names[0]] = self._member(value)
        self._tokens.skip_space()
        if self._tokens.peek() == ",":
            self._tokens.advance()
            if isinstance(container, dict):
                self._member_name(container)
            return _UNFINISHED
        close = _closing(container)
        if self._tokens.peek() != close:
            after = "an object member" if close == "}" else "an array element"
            self._tokens.fail(f"Missing a comma or '{close}' after {after}.", f"expected `,` or `{close}`")
        self._tokens.position += 1
        self._open.pop()
        if close == "}":
            self._names.pop()
        return container

    def _member(self, value: Any) -> Value | InputFileError:
        try:
            return to_value(value, self._names[0], self._source)
        except InputFileError as error:
            return error

    def _member_name(self, container: dict[str, Any]) -> None:
        tokens = self._tokens
        start = tokens.position
        self._names[-1] = ""
        if tokens.peek() != '"':
            hint = "; remove the comma after the last member" if tokens.peek() == "}" else ""
            expected = f"expected a member name in double quotes{hint}"
            tokens.fail("Missing a name for object member.", expected)
        self._names[-1] = tokens.string()
        if len(self._names) == 1:
            self._checked = _VARIABLE.fullmatch(self._names[0]) is not None
            self._refused = None
        if self._checked and self._names[-1] in container:
            detail = f"{tokens.where(start)}: `{tokens.variable}` stands in this file twice."
            raise InputFileError(f"Attempt to redefine variable: {tokens.variable}.", detail)
        tokens.skip_space()
        if tokens.peek() != ":":
            tokens.fail("Missing a colon after a name of object member.", "expected `:`")
        tokens.advance()

    def _scalar(self) -> int | float:
        tokens = self._tokens
        start = tokens.position
        if tokens.peek() == '"':
            text = tokens.string()
            if text not in _QUOTED:
                detail = f"has the string {json.dumps(text)} instead of a number"
                self._refuse("string values not allowed.", detail, start)
            return _QUOTED.get(text, math.nan)
        word = tokens.word()
        if word is None:
            return tokens.number()
        if word == "null":
            self._refuse("null values not allowed.", "has `null`, but Stan has no missing values", start)
        else:
            self._refuse("boolean values not allowed.", f"has `{word}`; write 1 for true, 0 for false", start)
        return math.nan

    def _refuse(self, reason: str, detail: str, start: int) -> None:
        """Note that the member being read is no value; the rest of it is read past."""
        if not self._checked:
            return
        name = self._tokens.variable
        detail = f"{self._tokens.where(start)}: variable `{name}` {detail}."
        self._refused = InputFileError(f"Variable: {name}, error: {reason}", detail)
        self._checked = False


def _closing(container: list[Any] | dict[str, Any]) -> str:
    return "]" if isinstance(container, list) else "}"


_UNFINISHED = object()
