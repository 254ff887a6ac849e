"""Names that were probably meant."""

import os
from collections.abc import Iterable
from difflib import get_close_matches


_LEAST_LIKENESS = 0.6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'num_paths'?`, to follow the sentence that refuses a name, or "" if no name is like it.

    Args:
        name: What was given.
        known: The names that there are.
    """
    meant = close_name(name, known)
    return f"; did you mean {meant!r}?" if meant else ""


def close_name(name: str, known: Iterable[str]) -> str:
    """The known name that is most like `name`, or "" if none is."""
    by_lowered = {other.lower(): other for other in known if other != name}
    close = get_close_matches(name.lower(), by_lowered, n=1, cutoff=_LEAST_LIKENESS)
    return by_lowered[close[0]] if close else ""


def similar_file(path: str) -> str:
    """`; did you mean 'data.json'?` for a file that is not there, or "" if its folder has none of a similar name."""
    folder, name = os.path.split(path)
    if not name or os.path.exists(path):
        return ""
    try:
        known = [entry.name for entry in os.scandir(folder or ".") if entry.is_file()]
    except (OSError, ValueError):
        return ""
    meant = close_name(name, known)
    return f"; did you mean {os.path.join(folder, meant)!r}?" if meant else ""
