"""What runs have written and printed."""

import stanio


def comments_and_draws(path):
    """The comments before the draws, and the draws by name of their column."""
    lines = path.read_text().splitlines()
    header, draws = stanio.read_csv(str(path))
    comments = lines[: lines.index(header)]
    return comments, dict(zip(header.split(","), draws[0].T, strict=True))


def rows_of(out, number):
    """The fields of the rows of progress of one path."""
    lines = out.splitlines()
    return [
        lines[index + 1].split()
        for index, line in enumerate(lines)
        if line.startswith(f"Path [{number}] : Iter") and index + 1 < len(lines)
    ]
