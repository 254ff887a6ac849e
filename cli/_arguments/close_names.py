"""Names that were probably meant.

The first two functions are those of `pathfinder._close_names`, a copy: to import that loads JAX, and a misspelt
argument should not take a second to be told. A test compares them.
"""

import os
from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'num_paths'?`, to follow the sentence that refuses a name, or "" if no name is like it.

    Args:
        name: What was given.
        known: The names that there are.
    """
    meant = close_name(name, known)
    return f"; did you mean {meant!r}?" if meant else ""


def close_name(name: str, known: Iterable[str], least_likeness: float = 0.6) -> str:
    """The name that is most like another, capitals or not, or "" if none is.

    Args:
        name: What was given.
        known: The names that there are.
        least_likeness: `SequenceMatcher.ratio` that a name must have.
    """
    by_lowered = {other.lower(): other for other in known if other != name}
    close = get_close_matches(name.lower(), by_lowered, n=1, cutoff=least_likeness)
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
    meant = close_name(name, [other for other in known if _have_similar_stems(name, other)])
    return f"; did you mean {os.path.join(folder, meant)!r}?" if meant else ""


def _have_similar_stems(name: str, other: str) -> bool:
    """Whether names are alike without their suffixes, which make `a.json` and `b.json` look alike."""
    stem, other_stem = (os.path.splitext(each)[0].lower() for each in (name, other))
    return stem == other_stem or close_name(stem, [other_stem]) != ""
