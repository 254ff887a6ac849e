"""Names that were probably meant."""

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
