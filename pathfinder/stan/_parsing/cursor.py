"""A place in the tokens of a program, and the errors raised there."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from pathfinder.stan._parsing.lexer import Token
from pathfinder.stan._syntax.diagnostics import Diagnostic, StanSyntaxError, nearest
from pathfinder.stan._syntax.source import Source, Span
from pathfinder.stan._syntax.tree import Identifier


MAX_DEPTH = 100  # six Python frames each, where Python allows a thousand

CONTROL = ("for", "in", "while", "if", "else", "break", "continue", "return")
TYPES = (
    *("int", "real", "complex", "vector", "row_vector", "matrix"),
    *("complex_vector", "complex_row_vector", "complex_matrix"),
    *("ordered", "positive_ordered", "simplex", "unit_vector", "sum_to_zero_vector", "sum_to_zero_matrix"),
    *("cholesky_factor_corr", "cholesky_factor_cov", "corr_matrix", "cov_matrix"),
    *("row_stochastic_matrix", "column_stochastic_matrix"),
)
# Stan reference manual, "Reserved names". Bounds' names stay free, since programs before 2.32 use them for variables.
RESERVED = frozenset(
    {
        *CONTROL,
        *TYPES,
        *("functions", "data", "parameters", "model", "transformed", "generated", "quantities"),
        *("array", "tuple", "void", "target", "print", "reject", "fatal_error", "profile"),
        *("get_lp", "increment_log_prob"),
        *("repeat", "until", "then", "true", "false"),  # kept for later
    }
)

T = TypeVar("T")


class Cursor:
    """Reads tokens one after the other.

    Attributes:
        token: The next token.
        previous: The span of the last token read.
        warnings: What is deprecated, so far.
    """

    def __init__(self, tokens: list[Token], source: Source, warnings: list[Diagnostic]) -> None:
        end = len(source.text)
        self._tokens = [*tokens, Token("end", "", Span(source, end, end))]
        self._next = 0
        self._depth = 0
        self.warnings = warnings
        self.token = self._tokens[0]
        self.previous = Span(source, 0, 0)

    def ahead(self) -> Token:
        """The token behind the next one."""
        return self._tokens[min(self._next + 1, len(self._tokens) - 1)]

    def opens_block(self) -> bool:
        """Whether the next token is a brace before statements; one before the elements of an array is another one.

        Arrays hold no `;` and are not empty, and every block that is not empty holds one of these.
        """
        if not self.at("{"):
            return False
        depth = 0
        for i in range(self._next, len(self._tokens)):
            text = self._tokens[i].text
            if text == ";" or (text == "}" and self._tokens[i - 1].text == "{"):
                return True
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return False
        return True

    def read(self) -> Token:
        """Step over the next token."""
        token = self.token
        self.previous = token.span
        self._next = min(self._next + 1, len(self._tokens) - 1)
        self.token = self._tokens[self._next]
        return token

    def split(self, width: int) -> None:
        """Make two tokens of the next one, of which the first has `width` characters."""
        kind, text, (source, start, end) = self.token
        halves = [
            Token(kind, text[:width], Span(source, start, start + width)),
            Token(kind, text[width:], Span(source, start + width, end)),
        ]
        self._tokens[self._next : self._next + 1] = halves
        self.token = halves[0]

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these."""
        return self.token.text in texts and self.token.kind != "end"

    def accept(self, text: str) -> bool:
        """Step over the next token if it is this one."""
        found = self.at(text)
        if found:
            self.read()
        return found

    def expect(self, text: str, where: str, hint: str = "") -> Token:
        """Step over this token; `where` says what it belongs to, as in "after the condition"."""
        if not self.at(text):
            self.fail(f"`{text}` {where}", [text], hint=hint, behind_previous=text == ";")
        return self.read()

    def fail(
        self, expected: str, known: Iterable[str] = (), *, hint: str = "", behind_previous: bool = False
    ) -> NoReturn:
        """Raise an error at the next token.

        Args:
            expected: What should have come.
            known: Words that could stand here, one of which the user may have meant.
            hint: Advice that is better than the nearest of these words.
            behind_previous: Point behind the last token if the next one is on another line.
        """
        token = self.token
        found = "the end of the program" if token.kind == "end" else f"`{token.text}`"
        hint = hint or (nearest(token.text, known) if token.kind == "word" else "")
        elsewhere = token.span.source is not self.previous.source or token.span.line != self.previous.line
        span = self.previous.after() if behind_previous and elsewhere else token.span
        raise StanSyntaxError(f"Expected {expected}, found {found}.", span, hint)

    def since(self, start: Span) -> Span:
        """From `start` to the last token read."""
        return start.through(self.previous)

    def warn(self, message: str, span: Span, hint: str) -> None:
        """Note something deprecated."""
        self.warnings.append(Diagnostic(message, span, hint))

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level further down in the program."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise StanSyntaxError(
                "This is nested too deeply.", self.token.span, f"At most {MAX_DEPTH} levels can be read."
            )
        try:
            yield
        finally:
            self._depth -= 1

    def listed(self, read_one: Callable[["Cursor"], T], end: str, where: str) -> tuple[T, ...]:
        """What stands between commas up to `end`, which is stepped over; at least one."""
        items = [read_one(self)]
        while self.accept(","):
            items.append(read_one(self))
        self.close(end, where)
        return tuple(items)

    def close(self, end: str, where: str) -> None:
        """Step over the end of a list."""
        if not self.at(end):
            self.fail(f"`,` or `{end}` {where}")
        self.read()

    def new_name(self, what: str) -> Identifier:
        """A name that is declared here; `what` says of what, as in "a variable"."""
        token = self.token
        if token.kind != "word":
            self.fail(f"the name of {what}")
        if token.text in RESERVED:
            raise StanSyntaxError(f"`{token.text}` is reserved and cannot be the name of {what}.", token.span)
        if token.text.endswith("__"):
            raise StanSyntaxError(
                f"`{token.text}` cannot be the name of {what}: it ends in two underscores.", token.span
            )
        self.read()
        return Identifier(token.text, span=token.span)

    def called_name(self, what: str) -> Identifier:
        """A name that is used here."""
        token = self.token
        if token.kind != "word" or token.text in RESERVED:
            self.fail(what)
        self.read()
        return Identifier(token.text, span=token.span)
