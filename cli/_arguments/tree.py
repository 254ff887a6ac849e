"""The tree of arguments: its three kinds of nodes, and where a name occurs in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pathfinder_cli._arguments.values import STRING, BadValue, ValueType


class Rule(NamedTuple):
    """Which values are valid; in `text`, `{name}` stands for the name of the argument."""

    text: str
    accepts: Callable[[Any], bool] = lambda value: True


@dataclass(frozen=True)
class Option:
    """An argument with a value, written `name=value`."""

    name: str
    help: str = ""
    type: ValueType = STRING
    rule: Rule = Rule("All")
    default: Any = None
    default_help: str = ""

    @property
    def valid_values(self) -> str:
        """The rule, about this argument."""
        return self.rule.text.format(name=self.name)

    @property
    def default_text(self) -> str:
        """The default as help pages print it."""
        return self.default_help or self.type.show(self.default) or '""'

    def read(self, text: str) -> Any:
        """Convert and check the text after `=`.

        Raises:
            BadValue: If it is not of the type, or breaks the rule.
        """
        value = self.type.read(text)
        if not self.rule.accepts(value):
            raise BadValue
        return value


@dataclass(frozen=True)
class Category:
    """A bare word that opens a scope; `available` is false where only CmdStan can act on it."""

    name: str
    help: str
    children: "tuple[Node, ...]" = ()
    available: bool = True


@dataclass(frozen=True)
class Selection:
    """An argument whose value, written `name=value`, opens the scope of that value."""

    name: str
    help: str
    values: tuple[Category, ...]
    default_help: str = ""

    @property
    def valid_values(self) -> str:
        """The names to choose from."""
        return ", ".join(value.name for value in self.values)

    def find(self, name: str) -> Category | None:
        """The value of that name, if there is one."""
        return next((value for value in self.values if value.name == name), None)


Node = Option | Category | Selection


def usage_of(node: Node) -> str:
    """How an argument is written: `num_paths=<int>`, `data`, `method=<list_element>`."""
    if isinstance(node, Category):
        return node.name
    tag = "list element" if isinstance(node, Selection) else node.type.tag
    return f"{node.name}=<{tag.replace('list element', 'list_element')}>"


def places(node: Node, name: str, prefix: str = "") -> Iterator[str]:
    """Every way to write an argument called `name`, from the root on, in the order of the tree."""
    if node.name == name:
        yield prefix + usage_of(node)
    if isinstance(node, Category):
        for child in node.children:
            yield from places(child, name, f"{prefix}{node.name} ")
    elif isinstance(node, Selection):
        for value in node.values:
            yield from places(value, name, f"{prefix}{node.name}=")
