"""The names of CmdStan's other arguments, against the argument tree that a real executable prints."""

from pathfinder_cli._arguments.grammar import ARGUMENTS
from pathfinder_cli._arguments.tree import Category, Option, Selection
from tests.cli.golden import GOLDEN


def outline(node, depth=1):
    """Indentation and heading of every argument, those of other methods included."""
    if isinstance(node, Option):
        yield depth, f"{node.name}=<{node.type.tag}>"
    else:
        yield depth, f"{node.name}=<list element>" if isinstance(node, Selection) else node.name
        for child in node.children if isinstance(node, Category) else node.values:
            yield from outline(child, depth + 1)


def recorded_outline():
    """The same of a recorded page, where the line before each heading is blank."""
    tree = (GOLDEN / "help" / "help-all.txt").read_text().partition("Usage: ")[0]
    previous = ""
    for line in tree.splitlines():
        if line and not previous:
            heading = line.strip()
            yield (len(line) - len(heading)) // 2, heading
        previous = line


def test_names_types_and_order_are_cmdstans():
    ours = [entry for node in ARGUMENTS if node.name != "engine" for entry in outline(node)]
    assert ours == list(recorded_outline())
