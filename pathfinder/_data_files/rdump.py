"""Data and initial values in R's dump format, as far as CmdStan reads it.

CmdStan stops reading without a word at the first thing that is not a name followed by `<-`, so
that all later variables are absent; here that is an error with line and column. Comments (`#` to
the end of the line) are skipped, as are names of elements and of dimensions. Any other value of R,
such as strings or a factor, is read past.
"""

import re
from collections.abc import Iterator, Sequence
from math import isinf, prod
from typing import NoReturn

import numpy as np

from pathfinder._data_files.errors import InputFileError, locate
from pathfinder._data_files.file_variables import Variables
from pathfinder._data_files.json_values import INT_MAX, MAX_DEPTH, Array, Value


MAX_ELEMENTS = 10**7  # of one variable; `integer(2000000000)` would take 16 GB

Number = int | float

_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_NAME = re.compile(r"""(["']?)([A-Za-z][A-Za-z0-9_.]*)\1""")
_ARROW = re.compile(r"<\s*-")
_NUMBER = re.compile(r"([-+]?)\s*(?:(Inf(?:inity)?|[Nn][Aa][Nn])|([0-9.][0-9.eE+-]*))")
_ZEROS = re.compile(r"(integer|double)\s*\(\s*(\d*)\s*[lL]?\s*\)")
_COMBINE = re.compile(r"c\s*\(")
_STRUCTURE = re.compile(r"structure\s*\(")
_STRING = re.compile(r"""(["'`])(?:(?!\1)[^\\]|\\.)*\1""", re.DOTALL)
_LABEL = re.compile(r"""(?:(["'`])(?:(?!\1)[^\\]|\\.)*\1|[A-Za-z.][A-Za-z0-9_.]*)\s*=(?!=)""", re.DOTALL)
_WORD = re.compile(r"[A-Za-z.][A-Za-z0-9_.]*")
_DIMENSIONS = (".Dim", "dim")
_NAMES = (".Dimnames", "dimnames", ".Names", "names")  # attributes that leave the numbers what they are
_QUOTES = ('"', "'", "`")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def parse_rdump(raw: bytes, source: str) -> Variables:
    """Read the variables of an R dump.

    Args:
        raw: The bytes of the file.
        source: Name of the file, for error messages.

    Returns:
        Name to array, int64 if every element is a whole number, else float64; scalars have shape
        (). Of two values for one name the later counts, as in R. What is no number, such as a string, is
        an error when it is looked up.

    Raises:
        InputFileError: If anything in the file is not `name <- value`; no other exception.
    """
    return Variables(dict(_Parser(raw.decode("utf-8", "replace"), source).variables()))


class _Parser:
    def __init__(self, text: str, source: str):
        self._text = text
        self._source = source
        self._at = 0
        self._name = ""

    def variables(self) -> Iterator[tuple[str, Value | InputFileError]]:
        while not self._at_end():
            name = self._match(_NAME)
            if name is None:
                self._stray("expected a variable name or the end of the file")
            self._name = name.group(2)
            if self._match(_ARROW) is None:
                self._stray(f"expected `<-` after the name `{self._name}`")
            start = self._at
            try:
                value = self._value()
            except InputFileError as error:
                self._at, value = start, error
                self._read_past(error)
            yield self._name, value

    def _read_past(self, error: InputFileError, ends: str = "") -> None:
        """Move to the next assignment, or to a character that ends an argument.

        Raises:
            InputFileError: The given one, if nothing stands here or a bracket or quotation mark is not closed.
        """
        self._skip_space()
        start, open_ = self._at, []
        while self._at < len(self._text):
            character = self._text[self._at]
            if not open_ and (character in ends if ends else self._is_assignment()):
                break
            string = _STRING.match(self._text, self._at)
            word = _WORD.match(self._text, self._at)
            if string is None and character in _QUOTES:
                raise error
            if character in _CLOSING:
                open_.append(_CLOSING[character])
            elif character in ")]}" and (not open_ or open_.pop() != character):
                raise error
            match = string or word
            self._at = match.end() if match else self._at + 1
            self._skip_space()
        if open_ or self._at == start:
            raise error

    def _is_assignment(self) -> bool:
        name = _NAME.match(self._text, self._at)
        space = _SPACE.match(self._text, name.end()) if name else None
        return space is not None and _ARROW.match(self._text, space.end()) is not None

    def _value(self) -> Array:
        if self._match(_STRUCTURE):
            return self._structure()
        values = self._sequence()
        if values is not None:
            return _array(values, (len(values),))
        first = self._number()
        if not self._accept(":"):
            return _array([first], ())
        run = self._range(first)
        return _array(run, (len(run),))

    def _sequence(self) -> Sequence[Number] | None:
        """The elements of `c(...)`, `integer(n)` or `double(n)`; None if neither comes next."""
        if self._match(_COMBINE):
            return self._elements()
        zeros = self._match(_ZEROS)
        if zeros is None:
            return None
        count = int(zeros.group(2)[:12] or 0)
        if count > MAX_ELEMENTS:
            self._fail(f"value {zeros.group(2)} beyond int range", f"more than {MAX_ELEMENTS} elements")
        return [0] * count if zeros.group(1) == "integer" else [0.0] * count

    def _elements(self) -> Sequence[Number]:
        """The numbers after `c(`."""
        if self._accept(")"):
            return []
        numbers: list[Number] = []
        is_real = False
        while not numbers or self._accept(","):
            self._skip_space()
            if self._text[self._at : self._at + 1].isalpha() or self._text.startswith(_QUOTES, self._at):
                self._match(_LABEL)
            numbers.append(self._number(is_real=is_real))
            is_real = is_real or isinstance(numbers[-1], float)
        self._expect(")")
        return numbers

    def _structure(self) -> Array:
        """The array after `structure(`."""
        values = self._sequence()
        if values is None:
            first = self._number()
            values = self._range(first) if self._accept(":") else [first]
        shape: tuple[int, ...] = (len(values),)
        self._expect(",")
        while True:
            sizes = self._attribute()
            shape = shape if sizes is None else sizes
            if not self._accept(","):
                break
        self._expect(")")
        if prod(shape) != len(values):
            detail = f"`.Dim` asks for {prod(shape)} elements, but there are {len(values)}"
            self._fail("syntax error", detail)
        return _array(values, shape)

    def _attribute(self) -> tuple[int, ...] | None:
        """Read an attribute of `structure`; gives the sizes if it is that of dimensions."""
        start = self._at
        label = self._match(_LABEL)
        if label is None:
            self._fail("syntax error", f"expected `.Dim`, found {self._found()}")
        name = label.group().rstrip("= \t\r\n").strip("\"'`")
        if name in _DIMENSIONS:
            return self._dimensions()
        if name not in _NAMES:
            self._at = start
            self._fail("syntax error", f"it has the attribute `{name}`; dump plain numbers, as of `as.integer(x)`")
        try:
            self._fail("syntax error", f"expected the value of `{name}`")
        except InputFileError as error:
            self._read_past(error, ",)")
        return None

    def _dimensions(self) -> tuple[int, ...]:
        if self._match(_COMBINE):
            sizes = self._elements()
        else:
            first = self._number()
            self._expect(":")
            sizes = self._range(first)
        if len(sizes) > MAX_DEPTH or not all(isinstance(size, int) and size >= 0 for size in sizes):
            detail = f"`.Dim` must be at most {MAX_DEPTH} whole numbers, none of them negative"
            self._fail("syntax error", detail)
        return tuple(int(size) for size in sizes)

    def _range(self, first: Number) -> Sequence[Number]:
        """The whole numbers from `first` up or down to the number after the colon."""
        last = self._number()
        if not (isinstance(first, int) and isinstance(last, int)):
            self._fail("syntax error", "both ends of `a:b` must be whole numbers")
        if abs(last - first) >= MAX_ELEMENTS:
            self._fail("syntax error", f"`{first}:{last}` has more than {MAX_ELEMENTS} elements")
        step = 1 if first <= last else -1
        return list(range(first, last + step, step))

    def _number(self, *, is_real: bool = False) -> Number:
        start = self._at
        match = self._match(_NUMBER)
        if match is None:
            self._skip_space()
            self._fail("syntax error", f"expected a number, found {self._found()}{self._hint()}")
        sign = -1 if match.group(1) == "-" else 1
        if match.group(2):
            return sign * float(match.group(2))
        digits = match.group(3)
        if digits.isdigit() and not is_real:
            return self._whole(sign, digits, start)
        number = _real(digits)
        if number is None:
            self._at = start
            self._fail(f"value {digits} beyond numeric range", f"`{digits}` is not a number that a double can hold")
        return sign * number

    def _hint(self) -> str:
        """What to say of something that is no number."""
        word = _WORD.match(self._text, self._at)
        if _STRING.match(self._text, self._at):
            return "; a string cannot be data of a Stan program"
        if word is None:
            return ""
        if word.group() in ("TRUE", "FALSE", "T", "F"):
            return "; write 1 for TRUE, 0 for FALSE"
        return "; Stan has no missing values" if word.group().startswith(("NA", "NULL")) else ""

    def _whole(self, sign: int, text: str, start: int) -> int:
        if len(text) > 10 or int(text) > INT_MAX:
            self._at = start
            self._fail(f"value {text} beyond int range", f"write {text}.0, or use a number up to {INT_MAX}")
        if self._text[self._at : self._at + 1] in ("l", "L"):
            self._at += 1
        return sign * int(text)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._skip_space()
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def _accept(self, token: str) -> bool:
        self._skip_space()
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            self._fail("syntax error", f"expected `{token}`, found {self._found()}")

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _at_end(self) -> bool:
        self._skip_space()
        return self._at == len(self._text)

    def _found(self) -> str:
        return locate(self._source, self._text, self._at).found

    def _fail(self, message: str, detail: str) -> NoReturn:
        self._skip_space()
        where = locate(self._source, self._text, self._at)
        raise InputFileError(f"data {self._name} {message}", f"{where}: variable `{self._name}`: {detail}.")

    def _stray(self, expected: str) -> NoReturn:
        self._skip_space()
        where = locate(self._source, self._text, self._at)
        is_json = self._text.lstrip().startswith("{")
        hint = " (JSON files must have names that end in .json)" if is_json else ""
        message = f'Error reading R dump file "{self._source}"'
        raise InputFileError(message, f"{where}: {expected}, found {where.found}{hint}.")


def _array(values: Sequence[Number], shape: tuple[int, ...]) -> Array:
    is_whole = all(isinstance(value, int) for value in values)
    dtype = np.int64 if is_whole else np.float64
    # R stores the first index fastest; the copy makes the last one fastest, as everywhere else here
    return np.array(values, dtype=dtype).reshape(shape, order="F").copy(order="C")


def _real(text: str) -> float | None:
    """The number as a double; None if there is none, it is too large, or so small that it is lost."""
    try:
        number = float(text)
    except ValueError:
        return None
    is_lost = number == 0 and re.search("[1-9]", re.split("[eE]", text)[0])
    return None if isinf(number) or is_lost else number
