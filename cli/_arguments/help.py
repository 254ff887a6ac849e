"""The help pages, the usage text and the answer to `info`."""

from collections.abc import Iterable

from pathfinder_cli._arguments.grammar import ARGUMENTS, METHOD
from pathfinder_cli._arguments.stan_version import STAN_VERSION
from pathfinder_cli._arguments.tree import Category, Node, Option, Selection


_INDENT = 2
# Clients set STAN_NUM_THREADS only where threads are reported, and this program honours it.
_BUILD_FLAGS = {
    "STAN_THREADS": True,
    "STAN_MPI": False,
    "STAN_OPENCL": False,
    "STAN_NO_RANGE_CHECKS": False,
    "STAN_CPP_OPTIMS": False,
}


def usage(program: str) -> str:
    """The text printed for `help`, after every other help page, and when there are no arguments."""
    return "\n".join(
        [
            f"Usage: {program} <arg1> <subarg1_1> ... <subarg1_m> ... <arg_n> <subarg_n_1> ... <subarg_n_m>",
            "",
            "Start with what to compute; this program runs pathfinder, and knows the names of the others:",
            *(_row(value.name, value.help) for value in METHOD.values),
            "",
            "For help, write",
            *(_row("help", "This text"), _row("help-all", "All arguments, with types, rules and defaults")),
            "",
            "These can follow or precede it, in any order:",
            *(_row(node.name, node.help) for node in ARGUMENTS if node is not METHOD),
            "",
            f"See {program} <arg1> [ help | help-all ] for one of them.",
            "",
            "",
        ]
    )


def argument_help(node: Node, *, deep: bool) -> str:
    """The page of one argument.

    Args:
        node: The argument.
        deep: Whether the pages of all arguments below it follow, each one indented.
    """
    return _text(_page(node, 0, deep))


def tree_help() -> str:
    """The pages of all arguments."""
    return _text(line for node in ARGUMENTS for line in _page(node, _INDENT, deep=True))


def info() -> str:
    """The answer to `info`: eight lines, from which CmdStanPy reads version and threads."""
    version = [f"stan_version_{part} = {number}" for part, number in STAN_VERSION._asdict().items()]
    return _text([*version, *(f"{flag}={str(on).lower()}" for flag, on in _BUILD_FLAGS.items())])


def _row(name: str, description: str) -> str:
    return f"{'  ' + name:<12}  {description}"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _page(node: Node, indent: int, deep: bool) -> Iterable[str]:
    heading, *rest = _lines(node)
    yield " " * indent + heading
    for line in rest:
        yield " " * (indent + _INDENT) + line
    yield ""
    if deep:
        for child in _below(node):
            yield from _page(child, indent + _INDENT, deep)


def _lines(node: Node) -> list[str]:
    if isinstance(node, Category):
        names = ", ".join(child.name for child in _below(node))
        return [node.name, node.help, *([f"Valid subarguments: {names}"] if names else [])]
    tag, default = _tag_and_default(node)
    return [f"{node.name}=<{tag}>", node.help, f"Valid values: {node.valid_values}", f"Defaults to {default}"]


def _tag_and_default(node: Option | Selection) -> tuple[str, str]:
    if isinstance(node, Selection):
        return "list element", node.default_help
    return node.type.tag, node.default_text


def _below(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Selection):
        return node.values
    return node.children if isinstance(node, Category) and node.available else ()
