"""Parts of file names."""


def split_suffix(name: str) -> tuple[str, str]:
    """Split a file's name before its suffix, as in `("dir/out", ".csv")`.

    The suffix begins at the last dot of the last component that is neither its first nor its last
    character and has no other dot beside it; there may be none (`.csv`, `out.`, `x..csv`).
    """
    start = name.rfind("/") + 1
    for position in range(len(name) - 2, start, -1):
        if name[position] == "." and "." not in (name[position - 1], name[position + 1]):
            return name[:position], name[position:]
    return name, ""
