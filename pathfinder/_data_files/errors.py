"""The error of every file of data, and where in its text it lies."""

from typing import NamedTuple


class InputFileError(ValueError):
    """A file of data or initial values, or a value in it, that cannot be used.

    Args:
        message: CmdStan's message, without a trailing newline.
        detail: What is wrong, where, and what to do, in a sentence or two; the text of the exception.
    """

    def __init__(self, message: str, detail: str) -> None:
        self.message = message
        self.detail = detail
        super().__init__(detail)


class Location(NamedTuple):
    """A place in a text file; lines and columns count characters from 1, `offset` bytes from 0."""

    source: str
    line: int
    column: int
    offset: int
    found: str

    def __str__(self) -> str:
        return f'file "{self.source}", line {self.line}, column {self.column} (offset {self.offset})'


def locate(source: str, text: str, position: int) -> Location:
    """Describe a position of a text.

    Args:
        source: Name of the file, as the user gave it.
        text: The whole text.
        position: Index of a character of it; the length of the text stands for its end.
    """
    return Location(
        source=source,
        line=text.count("\n", 0, position) + 1,
        column=position - text.rfind("\n", 0, position),
        offset=len(text[:position].encode("utf-8", "surrogatepass")),
        found=_found(text[position : position + 20]),
    )


def _found(rest: str) -> str:
    if not rest:
        return "the end of the file"
    words = rest.split()
    word = words[0] if words and not rest[0].isspace() else rest[0]
    return "`" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in word) + "`"
