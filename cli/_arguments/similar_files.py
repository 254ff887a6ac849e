"""Files that were probably meant."""

import os

from pathfinder._close_names import close_name


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
