"""The page of the arguments of the command line, from the grammar that parses them.

`python -m tests.docs.arguments` rewrites it, as `python -m tests.docs.pages` does.
"""

from pathlib import Path

from pathfinder_cli._arguments.grammar import ARGUMENTS, METHOD, PATHFINDER
from pathfinder_cli._arguments.tree import Category, Node, Option


PAGE = Path(__file__).resolve().parents[2] / "docs" / "arguments.md"
FIRST_LINE = "<!-- from the grammar, by `python -m tests.docs.arguments` -->"


def generated() -> str:
    """The tables of all arguments: of the method first, then those beside it, scope by scope."""
    beside = [node for node in ARGUMENTS if node is not METHOD]
    scopes = [PATHFINDER, *(node for node in beside if isinstance(node, Category))]
    parts = [FIRST_LINE, "", "## At any place", "", *_table(beside)]
    for scope in scopes:
        parts += ["", f"## {scope.name}", "", f"{scope.help}.", "", *_table(scope.children)]
    return "\n".join(parts) + "\n"


def rewrite() -> None:
    """Make the tables of the page anew."""
    written, _, _ = PAGE.read_text().partition(FIRST_LINE)
    PAGE.write_text(written + generated())


def _table(nodes: list[Node] | tuple[Node, ...]) -> list[str]:
    rows = [
        f"| `{node.name}` | {_code(node.default_text)} | {_cell(node.valid_values)} | {_cell(node.help)} |"
        for node in nodes
        if isinstance(node, Option)
    ]
    return ["| argument | default | values | meaning |", "|---|---|---|---|", *rows]


def _code(default: str) -> str:
    return f"`{default}`" if " " not in default else _cell(default)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    rewrite()
