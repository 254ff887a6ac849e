"""How a value is read from a word of the command line, and how it is printed.

CmdStan converts as C does: leading white space is skipped, and so is whatever follows the
longest beginning that is a number (`num_draws=1e3` is one draw). Here the whole text has to be
the number.
"""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from pathfinder._settings import superchains


_SPACE = r"[ \t\n\v\f\r]*"
_INTEGER = re.compile(_SPACE + r"[+-]?[0-9]+")
_NUMBER = re.compile(
    _SPACE
    + r"[+-]?(?:0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?"
    + r"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?"
    + r"|inf(?:inity)?|nan(?:\([0-9a-z_]*\))?)",
    re.IGNORECASE,
)
_MOST_DIGITS = 64  # longer integers are out of every range, and Python refuses to convert the longest
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
DEFAULT_RADIUS = 2.0


class BadValue(ValueError):
    """A text that is not a value of its type; `reason` is empty where CmdStan refuses it too."""

    def __init__(self, reason: str = ""):
        super().__init__(reason)
        self.reason = reason


class ValueType(NamedTuple):
    """What an option holds: the word for it in angle brackets, and both conversions."""

    tag: str
    read: Callable[[str], Any]
    show: Callable[[Any], str] = str


class Init(NamedTuple):
    """Where paths start: uniformly within `radius`, or at the values in `file`.

    `text` is what the user wrote. With a file, `radius` serves the parameters the file lacks.
    """

    text: str
    radius: float = DEFAULT_RADIUS
    file: str | None = None


def _check_whole(text: str, pattern: re.Pattern[str], noun: str) -> None:
    if pattern.fullmatch(text):
        return
    beginning = pattern.match(text)
    raise BadValue(f"only the beginning of {text!r}, {beginning[0]!r}, is {noun}" if beginning else "")


def _integer(bits: int) -> Callable[[str], int]:
    limit = 2 ** (bits - 1)

    def read(text: str) -> int:
        _check_whole(text, _INTEGER, "a whole number")
        if len(text) > _MOST_DIGITS or not -limit <= int(text) < limit:
            raise BadValue
        return int(text)

    return read


def _number(text: str) -> float:
    """Value of a text that matches `_NUMBER`; infinite if it is too large."""
    lowered = text.strip().lower()
    if "nan" in lowered:
        return math.nan
    if "x" not in lowered:
        return float(lowered)
    try:
        return float.fromhex(lowered)
    except OverflowError:
        return -math.inf if lowered.startswith("-") else math.inf


def _double(text: str) -> float:
    _check_whole(text, _NUMBER, "a number")
    value = _number(text)
    if math.isinf(value) and "inf" not in text.lower():
        raise BadValue
    return value


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise BadValue
    return _BOOLEANS[text]


def _init(text: str) -> Init:
    # CmdStan takes a number from the beginning of a file's name (`1.json` is radius 1), and never
    # comes back from radii that are negative or not finite.
    if not _NUMBER.fullmatch(text):
        return Init(text, file=text)
    radius = _number(text)
    if not 0 <= radius < math.inf:
        raise BadValue(f"{text} is no radius; if it is the name of a file, write init=./{text}")
    return Init(text, radius=radius)


def _chains(text: str) -> bool | int | str:
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text == "auto":
        return text
    number = _integer(32)(text)
    if superchains(number) is None:
        few = "there must be at least 8" if number < 8 else "no number from 2 to 8 divides it"
        raise BadValue(f"{number} chains cannot be shared out to starts, because {few}")
    return number


def one_of(*words: str) -> ValueType:
    """The type of an option that takes one of some words."""

    def read(text: str) -> str:
        if text not in words:
            raise BadValue
        return text

    return ValueType("list element", read)


INTEGER = ValueType("int", _integer(32))
LONG = ValueType("x", _integer(64))  # GCC's internal name of a 64-bit integer is what CmdStan prints
UNSIGNED = ValueType("unsigned int", _integer(64))
DOUBLE = ValueType("double", _double, lambda value: format(value, "g"))
BOOLEAN = ValueType("boolean", _boolean, lambda value: "true" if value else "false")
STRING = ValueType("string", str)
CHAINS = ValueType("chains", _chains, lambda value: BOOLEAN.show(value) if isinstance(value, bool) else str(value))
INIT = ValueType("string", _init, lambda value: value.text)
