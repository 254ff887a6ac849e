"""The words, numbers and strings of a JSON text, with the errors CmdStan's parser gives.

CmdStan parses with RapidJSON; its messages and byte offsets are kept.
"""

import json
import math
import re
from typing import NoReturn

from pathfinder._data_files.errors import InputFileError, Location, locate


_SPACE = re.compile(r"[ \t\n\r]*")
_FLAT_ARRAY = re.compile(r"\[[-+0-9.eE, \t\n\r]*\]")
_STRING_START = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"-?(?:NaN|Inf(?:inity)?)")
_WORD = re.compile("null|true|false")
_WORD_BY_START = {"n": "null", "t": "true", "f": "false", "N": "NaN", "I": "Infinity"}


class Tokens:
    """A position in a JSON text that moves past one token at a time.

    Args:
        text: The whole text.
        source: Name of the file, for error messages.
    """

    def __init__(self, text: str, source: str):
        self.position = 0
        self.names: list[str] = []  # of the objects that are open, outermost first; the last is empty until it is read
        self._text = text
        self._source = source

    @property
    def variable(self) -> str:
        """The variable being read, for error messages."""
        return ".".join(self.names if not self.names or self.names[-1] else self.names[:-1])

    def peek(self) -> str:
        """The character at the position, or nothing at the end."""
        return self._text[self.position : self.position + 1]

    def advance(self) -> None:
        """Move past one character and the white space after it."""
        self.position += 1
        self.skip_space()

    def skip_space(self) -> None:
        """Move to the next character that is not white space."""
        match = _SPACE.match(self._text, self.position)
        self.position = match.end() if match else self.position

    def where(self, position: int | None = None) -> Location:
        """The place of a position, by default the current one."""
        return locate(self._source, self._text, self.position if position is None else position)

    def flat_array(self) -> list[int | float] | None:
        """Read an array of plain numbers with `json`, for its speed; None if it is anything else."""
        match = _FLAT_ARRAY.match(self._text, self.position)
        if match is None:
            return None
        try:
            numbers = json.loads(match.group())
            all_fit = all(map(math.isfinite, numbers))
        except (ValueError, OverflowError):
            all_fit, numbers = False, []
        if not all_fit:
            return None  # to be read element by element, which names the one that is wrong
        self.position = match.end()
        return numbers

    def word(self) -> str | None:
        """Read `null`, `true` or `false`; None if none of them comes next."""
        match = _WORD.match(self._text, self.position)
        if match is None:
            return None
        self.position = match.end()
        return match.group()

    def number(self) -> int | float:
        """Read a number, int if it has neither fraction nor exponent."""
        special = _SPECIAL.match(self._text, self.position)
        if special is not None:
            self.position = special.end()
            return float(special.group())
        match = _NUMBER.match(self._text, self.position)
        if match is None:
            self._fail_value()
        fraction, exponent = match.groups()
        after = self._text[match.end() : match.end() + 1]
        if exponent is None and (after in ("e", "E") or (after == "." and fraction is None)):
            self.position = match.end() + 1
            if after == ".":
                self.fail("Miss fraction part in number.", "expected a digit after the decimal point")
            self.fail("Miss exponent in number.", "expected the digits of an exponent")
        digits = match.group()
        is_whole = fraction is None and exponent is None
        number = int(digits) if is_whole and len(digits) < 20 else float(digits)
        if math.isinf(number):
            self.fail("Number too big to be stored in double.", "expected a number below 1.8e308")
        self.position = match.end()
        return number

    def string(self) -> str:
        """Read a string in double quotes."""
        start = _STRING_START.match(self._text, self.position)
        end = start.end() if start else self.position
        if not self._text.startswith('"', end):
            self.position = end
            self._fail_string()
        text = json.loads(self._text[self.position : end + 1])
        if any("\ud800" <= c <= "\udfff" for c in text):
            self.fail("The surrogate pair in string is invalid.", "expected a pair of surrogates")
        self.position = end + 1
        return text

    def fail(self, reason: str, expected: str, found_at: int | None = None) -> NoReturn:
        """Raise the error of malformed JSON at the position.

        Args:
            reason: RapidJSON's message.
            expected: What should stand there, beginning with `expected`.
            found_at: Start of the wrong word, if the position is not it.
        """
        inside = f", in variable `{self.variable}`" if self.variable else ""
        found = self.where(found_at).found
        raise malformed(self.where(), reason, f"{expected}, found {found}{inside}")

    def _fail_value(self) -> NoReturn:
        start = self.position
        detail = "expected a value (a number, an array, or an object)"
        if self._text.startswith("\ufeff"):
            detail = "remove the byte order mark; expected `{`"
        elif self._text.startswith(("//", "/*", "#"), start):
            detail += "; JSON has no comments"
        elif self.peek() == "]":
            detail += "; remove the comma after the last element"
        if self.peek() == "-":
            self.position += 1
        for character in _WORD_BY_START.get(self.peek(), ""):
            if self.peek() != character:
                break
            self.position += 1
        self.fail("Invalid value.", detail, found_at=start)

    def _fail_string(self) -> NoReturn:
        if self.position == len(self._text):
            self.fail("Missing a closing quotation mark in string.", 'expected `"`')
        if self._text.startswith("\\u", self.position):
            self.fail("Incorrect hex digit after \\u escape in string.", "expected four hexadecimal digits")
        if self.peek() == "\\":
            self.fail("Invalid escape character in string.", 'expected one of `"\\/bfnrtu` after `\\`')
        self.fail("Invalid encoding in string.", "expected an escape such as `\\n` for a control character")


def malformed(where: Location, reason: str, detail: str) -> InputFileError:
    """The error of malformed JSON, with RapidJSON's message and offset."""
    return InputFileError(f"Error in JSON parsing \nat offset {where.offset}: \n{reason}", f"{where}: {detail}.")
