"""Tokens of a program, with included texts put in place.

Source: stanc3's `src/frontend/lexer.mll` and the Stan reference manual, "Literals" and "Comments".
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from pathfinder.stan._syntax.diagnostics import Diagnostic, StanSyntaxError
from pathfinder.stan._syntax.source import Source, Span


_INTEGER = r"[0-9]+(?:_[0-9]+)*"
_EXPONENT = rf"[eE][+-]?{_INTEGER}"
_PATTERNS = {
    "space": r"[ \t\f\r\n]+",
    "comment": r"//[^\n]*|/\*[\s\S]*?\*/",
    "open_comment": r"/\*",
    "include": r'\#include[ \t\f\r\n]+(?:"[^"\r\n]*"|<[^>\r\n]*>|[^ \t\f\r\n]+)',
    "hash_comment": r"\#[^\n]*",
    "imaginary": rf"(?:{_INTEGER}(?:\.(?:{_INTEGER})?)?|\.{_INTEGER})(?:{_EXPONENT})?i",
    "real": rf"{_INTEGER}\.(?:{_INTEGER})?(?:{_EXPONENT})?|{_INTEGER}{_EXPONENT}|\.{_INTEGER}{_EXPONENT}",
    "dot": rf"\.{_INTEGER}",  # an element of a tuple behind an expression, else a real number
    "int": _INTEGER,
    "word": r"[A-Za-z][A-Za-z0-9_]*",
    "string": r'"[^"\r\n]*"',
    "symbol": r"%/%|\.\*=|\./=|<-|\|\||&&|[=!<>+\-*/]=|\.[*/^]|[{}()\[\]<>,;|?:!+\-^'*/%\\=~]",
}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()))
_HINTS = {
    "_": "Names begin with a letter.",
    '"': "A string ends on the line where it begins.",
    "&": "Write `&&` for the logical and.",
}

ReadInclude = Callable[[str], str]


class Token(NamedTuple):
    """A word, number, string or symbol; `kind` names its pattern, the last token is of kind `end`."""

    kind: str
    text: str
    span: Span


def tokenize(source: Source, read_include: ReadInclude | None, warnings: list[Diagnostic]) -> list[Token]:
    """Tokens of a source and of all that it includes, without an end.

    Args:
        source: The text.
        read_include: Gives the text of an included file by its name, and raises OSError or KeyError if there is none.
        warnings: Gets what is deprecated.

    Raises:
        StanSyntaxError: If some text is no token, or an include cannot be had.
    """
    tokens, at = [], 0
    while at < len(source.text):
        match = _TOKEN.match(source.text, at)
        if match is None:
            character = source.text[at]
            raise StanSyntaxError(
                f"{_shown(character)} cannot stand here.", Span(source, at, at + 1), _HINTS.get(character, "")
            )
        kind, text, span = str(match.lastgroup), match.group(), Span(source, at, match.end())
        at = match.end()
        if kind == "open_comment":
            raise StanSyntaxError("This comment has no end.", span, "Close it with `*/`.")
        if kind == "include":
            tokens += _included(text.split(maxsplit=1)[1], span, read_include, warnings)
        elif kind == "hash_comment":
            warnings.append(Diagnostic("Comments that begin with `#` are deprecated.", span, "Begin them with `//`."))
        elif kind not in ("space", "comment"):
            tokens.append(Token(kind, text, span))
    return tokens


def _included(name: str, at: Span, read_include: ReadInclude | None, warnings: list[Diagnostic]) -> list[Token]:
    if name[0] in '"<' and name[-1] in '">':
        name = name[1:-1]
    if name in at.source.including_names():
        raise StanSyntaxError(f"`{name}` includes itself.", at)
    if read_include is None:
        raise StanSyntaxError(f"`{name}` cannot be included.", at, "No way to read included files was given.")
    try:
        text = read_include(name)
    except (OSError, KeyError):
        raise StanSyntaxError(
            f"`{name}` cannot be found.", at, "Check its name and the folders to search for it."
        ) from None
    return tokenize(Source(name, text, included_at=at), read_include, warnings)


def _shown(character: str) -> str:
    return (
        f"`{character}`"
        if character.isprintable() and character != "\ufffd"
        else f"The character U+{ord(character):04X}"
    )
