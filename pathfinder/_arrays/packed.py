"""JSON and byte strings as one byte string."""

import json
import struct
from collections.abc import Sequence
from typing import Any


_LENGTHS = struct.Struct("<QQ")


def packed(header: Any, parts: Sequence[bytes]) -> bytes:
    """One byte string of what JSON can say, and of byte strings."""
    text = json.dumps([header, [len(part) for part in parts]]).encode()
    size = _LENGTHS.size + len(text) + sum(map(len, parts))
    return b"".join((_LENGTHS.pack(len(text), size), text, *parts))


def unpacked(content: bytes) -> tuple[Any, list[bytes]]:
    """What `packed` was given.

    Raises:
        ValueError: If it was not.
    """
    try:
        length, size = _LENGTHS.unpack_from(content)
        begin = _LENGTHS.size + length
        if size != len(content):
            raise ValueError(f"{size} bytes are expected, but there are {len(content)}")
        header, lengths = json.loads(content[_LENGTHS.size : begin])
        parts = []
        for part in lengths:
            parts.append(content[begin : begin + part])
            begin += part
    except (struct.error, TypeError) as error:
        raise ValueError(str(error)) from error
    return header, parts
