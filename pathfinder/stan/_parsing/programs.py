"""Programs and functions.

Source: Stan reference manual, "Program blocks" and "User-defined functions". Deprecated forms that stanc3 has dropped
since 2.33 (arrays with sizes behind the name, `<-`, `increment_log_prob`, `#` comments) are read with a warning.
"""

from pathfinder.stan._parsing.cursor import Cursor
from pathfinder.stan._parsing.lexer import ReadInclude, tokenize
from pathfinder.stan._parsing.statements import declared_variables, statement, statements
from pathfinder.stan._parsing.types import TYPE_WORDS, unsized_type
from pathfinder.stan._syntax.diagnostics import Diagnostic, StanSyntaxError, nearest
from pathfinder.stan._syntax.source import Source, Span
from pathfinder.stan._syntax.tree import Argument, Block, FunctionDefinition, Program, Statement


BLOCKS = (
    "functions",
    "data",
    "transformed data",
    "parameters",
    "transformed parameters",
    "model",
    "generated quantities",
)
_DECLARING = ("data", "parameters")


def parse(text: str, *, name: str = "model", read_include: ReadInclude | None = None) -> Program:
    """Read a Stan program.

    Args:
        text: The program.
        name: What messages call it, normally its file.
        read_include: Gives the text of an included file by its name, and raises OSError or KeyError if there is none.

    Returns:
        Its tree, with warnings about what is deprecated.

    Raises:
        StanSyntaxError: If it is no Stan program.
    """
    cursor = _start(text, name, read_include)
    start = cursor.token.span
    if cursor.token.kind == "end":
        raise StanSyntaxError("This program is empty.", start)
    blocks: dict[str, Block | tuple[FunctionDefinition, ...]] = {}
    while cursor.token.kind != "end":
        at = cursor.token.span
        title = _block_title(cursor)
        _check_order(title, list(blocks), cursor.since(at))
        opening = cursor.expect("{", f"after `{title}`").span
        if title == "functions":
            blocks[title] = _functions(cursor, end="}")
        else:
            inside = _declared(cursor, title) if title in _DECLARING else _computed(cursor, title)
            blocks[title] = Block(inside, span=cursor.since(opening))
    fields = {title.replace(" ", "_"): block for title, block in blocks.items()}
    return Program(**fields, warnings=_in_order(cursor), span=cursor.since(start))  # pyright: ignore[reportArgumentType]


def parse_functions(text: str, *, name: str = "functions", read_include: ReadInclude | None = None) -> Program:
    """Read a text that holds only the content of a `functions` block, as files `.stanfunctions` do; see `parse`."""
    cursor = _start(text, name, read_include)
    start = cursor.token.span
    functions = _functions(cursor, end="")
    return Program(functions, warnings=_in_order(cursor), span=cursor.since(start))


def _start(text: str, name: str, read_include: ReadInclude | None) -> Cursor:
    source = Source(name, text)
    warnings: list[Diagnostic] = []
    return Cursor(tokenize(source, read_include, warnings), source, warnings)


def _in_order(cursor: Cursor) -> tuple[Diagnostic, ...]:
    return tuple(sorted(cursor.warnings, key=lambda warning: _place(warning.span)))


def _place(span: Span) -> tuple[int, ...]:
    """Sorts an included text to where it was included."""
    outer = span.source.included_at
    return (span.start,) if outer is None else (*_place(outer), span.start)


def _block_title(cursor: Cursor) -> str:
    word = cursor.token.text
    if word in ("transformed", "generated"):
        cursor.read()
        seconds = ("data", "parameters") if word == "transformed" else ("quantities",)
        if not cursor.at(*seconds):
            cursor.fail(" or ".join(f"`{second}`" for second in seconds) + f" after `{word}`", seconds)
        return f"{word} {cursor.read().text}"
    if not cursor.at(*BLOCKS):
        phrase = f"{word} {cursor.ahead().text}"
        hint = nearest(phrase, BLOCKS) or nearest(word, BLOCKS)
        cursor.fail("a block such as `data`, `parameters` or `model`", hint=hint)
    return cursor.read().text


def _check_order(title: str, earlier: list[str], span: Span) -> None:
    if title in earlier:
        raise StanSyntaxError(f"The block `{title}` stands twice.", span)
    later = [other for other in earlier if BLOCKS.index(other) > BLOCKS.index(title)]
    if later:
        order = ", ".join(f"`{block}`" for block in BLOCKS)
        raise StanSyntaxError(f"`{title}` stands before `{later[0]}`.", span, f"The order of the blocks is {order}.")


def _declared(cursor: Cursor, title: str) -> tuple[Statement, ...]:
    """Content of a block that holds declarations without values."""
    found: list[Statement] = []
    while not cursor.accept("}"):
        if cursor.accept(";"):
            continue
        if not cursor.at(*TYPE_WORDS):
            cursor.fail(f"a declaration or `}}` in `{title}`", TYPE_WORDS)
        found += declared_variables(cursor, constrained=True, assigned=False)
    return tuple(found)


def _computed(cursor: Cursor, title: str) -> tuple[Statement, ...]:
    return statements(cursor, constrained=title != "model")


def _functions(cursor: Cursor, end: str) -> tuple[FunctionDefinition, ...]:
    found: list[FunctionDefinition] = []
    while not cursor.accept(end) if end else cursor.token.kind != "end":
        found.append(_function(cursor))
    return tuple(found)


def _function(cursor: Cursor) -> FunctionDefinition:
    start = cursor.token.span
    if not cursor.at("void", *TYPE_WORDS):
        cursor.fail("a function, which begins with the type of its result", ("void", *TYPE_WORDS))
    return_type = None if cursor.accept("void") else unsized_type(cursor)
    name = cursor.new_name("a function")
    cursor.expect("(", f"after `{name.text}`")
    arguments = () if cursor.accept(")") else cursor.listed(_argument, ")", "after the argument")
    body = None if cursor.accept(";") else statement(cursor)
    return FunctionDefinition(return_type, name, arguments, body, span=cursor.since(start))


def _argument(cursor: Cursor) -> Argument:
    start = cursor.token.span
    data_only = cursor.accept("data")
    declared = unsized_type(cursor)
    name = cursor.new_name("an argument")
    return Argument(declared, name, data_only, span=cursor.since(start))
