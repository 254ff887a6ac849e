"""From the words of a command line to a configuration, in the way of CmdStan's parser.

Words are taken from the front. A category takes words as long as they are its own, and leaves
the rest to the top level, where every argument can be used once.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

from pathfinder._close_names import did_you_mean
from pathfinder_cli._arguments.grammar import ARGUMENTS, DEFAULTS, METHOD, Configuration
from pathfinder_cli._arguments.help import argument_help, info, tree_help, usage
from pathfinder_cli._arguments.threads import environment_threads, resolve_threads
from pathfinder_cli._arguments.tree import Category, Node, Option, Selection, places, usage_of
from pathfinder_cli._arguments.values import BadValue
from pathfinder_cli._errors import UsageError


_HELP = ("help", "help-all", "--help", "-h")
_NO_METHOD = "A method must be specified!"
_FAILED = "Failed to parse command arguments, cannot run model."


class Page(NamedTuple):
    """What a call for help or `info` is answered with, on stdout; the exit status is 0."""

    text: str


def parse(
    words: Sequence[str], *, program: str, environ: Mapping[str, str] | None = None, cores: int = 1
) -> Configuration | Page:
    """Understand a command line.

    Args:
        words: The command line without the program's name.
        program: The name by which the program was called, for help pages.
        environ: The environment, of which `STAN_NUM_THREADS` counts.
        cores: What the number -1 of threads stands for.

    Returns:
        The configuration to run, or a page to print.

    Raises:
        UsageError: If it can be neither run nor answered.
    """
    if not words:
        raise UsageError(usage(program), stream="stdout")
    reader = _Reader(words, program)
    page = reader.read_all()
    if page is not None:
        return page
    environ = environ or {}
    default_threads = environment_threads(environ, cores)
    resolve_threads(reader.values.get("num_threads"), environ, cores)
    return _configuration(reader.values, default_threads)


def _configuration(values: Mapping[str, Any], default_threads: int) -> Configuration:
    top: dict[str, Any] = {"num_threads": default_threads}
    scopes: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        scope, _, name = path.rpartition(".")
        (scopes.setdefault(scope, {}) if scope else top)[name] = value
    for scope, changes in scopes.items():
        top[scope] = replace(DEFAULTS.value(scope), **changes)
    return Configuration(**top, given=frozenset(values), environment_threads=default_threads)


class _Reader:
    """The words not yet read, and what was understood from the others."""

    def __init__(self, words: Sequence[str], program: str):
        self.values: dict[str, Any] = {}  # by path, as in "output.file"
        self._program = program
        self._queue = deque(words)
        self._method_seen = False
        self._bare: list[Option | Selection] = []  # arguments written without their value
        self._last_bare: Option | Selection | None = None  # the one that the next word follows

    def read_all(self) -> Page | None:
        """Read all words into `values`, or up to one that asks for a page."""
        unused = {node.name: node for node in ARGUMENTS}
        while self._queue:
            if not self._method_seen and METHOD.find(self._queue[0]):
                self._queue[0] = f"method={self._queue[0]}"
            word = self._queue[0]
            name = word.partition("=")[0]
            self._method_seen |= name == METHOD.name
            if word in _HELP:
                return self._page(tree_help() if word == "help-all" else "")
            if word == "info":
                return Page(info())
            node = unused.pop(name, None)
            if node is None or (isinstance(node, Category) and word != name):
                self._refuse_word(word)
            page = self._read(node, "")
            if page is not None:
                return page
        if not self._method_seen:
            self._fail([])
        if self._bare:
            self._fail([], _needs_value(self._bare[0]))
        return None

    def _read(self, node: Node, path: str) -> Page | None:
        """Read the next word, which is about `node`, and those in the scope it opens."""
        word = self._queue.popleft()
        self._last_bare = None
        if isinstance(node, Category):
            return self._read_scope(node, f"{path}{node.name}.")
        name, equals, text = word.partition("=")
        if not equals:
            if self._queue and self._queue[0] in _HELP:
                return self._help(node)
            self._last_bare = node
            self._bare.append(node)
            return None
        if isinstance(node, Selection):
            return self._read_selected(node, text)
        try:
            self.values[path + name] = node.read(text)
        except BadValue as bad:
            self._refuse_value(node, text, bad.reason)
        return None

    def _read_scope(self, category: Category, path: str) -> Page | None:
        children = {child.name: child for child in category.children}
        while self._queue:
            if self._queue[0] in _HELP:
                return self._help(category)
            child = children.get(self._queue[0].partition("=")[0])
            if child is None:
                return None
            page = self._read(child, path)
            if page is not None:
                return page
        return None

    def _read_selected(self, node: Selection, text: str) -> Page | None:
        value = node.find(text)
        if value is None:
            self._refuse_value(node, text, "")
        if value.available:
            return self._read_scope(value, f"{value.name}.")
        if self._queue and self._queue[0] in _HELP:
            return self._help(value)
        raise UsageError(f"Error: {node.name} {text} is not available: this program runs only pathfinder.\n")

    def _help(self, node: Node) -> Page:
        return self._page(argument_help(node, deep=self._queue[0] == "help-all"))

    def _page(self, text: str) -> Page:
        return Page(text + usage(self._program))

    def _refuse_word(self, word: str) -> NoReturn:
        name = word.partition("=")[0]
        lines = [f"{word} is either mistyped or misplaced."]
        suggestions = [place for node in ARGUMENTS for place in places(node, name)]
        if suggestions:
            lines.append("Perhaps you meant one of the following valid configurations?")
            lines += [f"  {place}" for place in suggestions]
        reason = "" if suggestions else _meant(name, "argument", _names(ARGUMENTS))
        self._fail(lines, _needs_value(self._last_bare) if self._last_bare else reason)

    def _refuse_value(self, node: Option | Selection, text: str, reason: str) -> NoReturn:
        lines = [f'{text} is not a valid value for "{node.name}"', f"  Valid values: {node.valid_values}"]
        self._fail(lines, reason or _meant(text, f"value of {node.name}", _values(node)))

    def _fail(self, lines: list[str], own_reason: str = "") -> NoReturn:
        lines = [*lines, f"Error: {own_reason}"] if own_reason else lines
        lines = lines if self._method_seen else [*lines, _NO_METHOD]
        raise UsageError("".join(f"{line}\n" for line in [*lines, _FAILED]))


def _meant(word: str, what: str, known: Iterable[str]) -> str:
    """Why a word is refused, if it is like one that is known; else nothing."""
    question = did_you_mean(word, known)
    return f"there is no {what} {word!r}{question}" if question else ""


def _names(nodes: Iterable[Node]) -> Iterator[str]:
    """The names of arguments and of all below them, methods and other scopes included."""
    for node in nodes:
        yield node.name
        if isinstance(node, Category):
            yield from _names(node.children)
        elif isinstance(node, Selection):
            yield from _names(node.values)


def _values(node: Option | Selection) -> list[str]:
    """The words that can be the value of an argument, if it takes one of some words."""
    is_list = isinstance(node, Selection) or node.type.tag in ("list element", "boolean")
    return node.valid_values.split(", ") if is_list else []


def _needs_value(node: Option | Selection) -> str:
    example = "method=pathfinder" if isinstance(node, Selection) else usage_of(node)
    return f"{node.name} needs a value: {example}"
