"""Texts in files: decoded, and found in some folders."""

from collections.abc import Sequence


def decoded(raw: bytes) -> str:
    r"""The text of a file, with `\n` at the ends of lines and without a byte order mark.

    Bytes that are no UTF-8 become U+FFFD, which, as in stanc, may stand in comments of Stan programs only.
    """
    return raw.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")


def found_text(name: str, folders: Sequence[str]) -> str:
    """The text of a file in the first of some folders that has it.

    Raises:
        FileNotFoundError: If none has.
        OSError: If it cannot be read.
    """
    for folder in folders:
        try:
            with open(name if name.startswith("/") else f"{folder}/{name}", "rb") as file:
                return decoded(file.read())
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            continue
    raise FileNotFoundError(name)
