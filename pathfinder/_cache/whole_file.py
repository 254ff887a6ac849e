"""Files that appear complete or not at all."""

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def write_whole(path: Any, write: Callable[[Any], Any]) -> None:
    """Write a file, complete or not at all; one of that name is replaced.

    Args:
        path: The file.
        write: Writes the content to an open binary file.

    Raises:
        OSError: If it cannot be written.
    """
    target = os.fspath(path)
    # Beside the target, so that it can be renamed; not made by `tempfile`, whose files others cannot read.
    temporary = f"{target}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        with open(temporary, "xb") as file:
            write(file)
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename == temporary:
            raise OSError(error.errno, error.strerror, target) from None  # the name that the caller knows
        raise
