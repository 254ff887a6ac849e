"""Names that were probably meant, as `pathfinder._close_names`, without loading JAX."""

from collections.abc import Iterable
from difflib import get_close_matches


_LEAST_LIKENESS = 0.6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'num_paths'?`, to follow the sentence that refuses a name, or "" if no name is like it.

    Args:
        name: What was given.
        known: The names that there are.
    """
    by_lowered = {other.lower(): other for other in known if other != name}
    close = get_close_matches(name.lower(), by_lowered, n=1, cutoff=_LEAST_LIKENESS)
    return f"; did you mean {by_lowered[close[0]]!r}?" if close else ""
