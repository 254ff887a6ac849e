"""Syntax tree of a Stan program.

Trees are equal if they say the same: spans do not take part in comparisons, parentheses are not kept, and deprecated
forms are stored as what replaced them (`real x[3]` as `array[3] real x`, `<-` as `=`, `increment_log_prob(e)` as
`target += e`). A declaration of several variables becomes one declaration each. Names follow the Stan reference manual.
"""

from dataclasses import dataclass, field

from pathfinder.stan._syntax.diagnostics import Diagnostic
from pathfinder.stan._syntax.source import Span


@dataclass(frozen=True)
class Node:
    """Anything with a place in the program."""

    span: Span = field(compare=False, repr=False, kw_only=True)


# Expressions


@dataclass(frozen=True)
class Identifier(Node):
    """A name where it is declared or called."""

    text: str


@dataclass(frozen=True)
class IntLiteral(Node):
    """`1_000`; at most 2^31 - 1."""

    value: int


@dataclass(frozen=True)
class RealLiteral(Node):
    """`1.5e3`; the text is kept (without underscores), so that no digit is lost."""

    text: str

    @property
    def value(self) -> float:
        """The nearest double."""
        return float(self.text)


@dataclass(frozen=True)
class ImaginaryLiteral(Node):
    """`2.5i`; the text is kept without underscores and without the `i`."""

    text: str

    @property
    def value(self) -> float:
        """The nearest double to the imaginary part."""
        return float(self.text)


@dataclass(frozen=True)
class StringLiteral(Node):
    """Text between double quotes, which are not part of it; there are no escapes."""

    text: str


@dataclass(frozen=True)
class Variable(Node):
    """A variable that is read or assigned to, or a function passed by name."""

    name: str


@dataclass(frozen=True)
class Call(Node):
    """A function applied to arguments.

    Attributes:
        function: Its name.
        arguments: All of them; where `conditional`, the first stands before the bar.
        conditional: Written `f(y | x)`.
    """

    function: Identifier
    arguments: "tuple[Expression, ...]"
    conditional: bool = False


@dataclass(frozen=True)
class TargetValue(Node):
    """`target()`, the log density accumulated so far."""


@dataclass(frozen=True)
class ArrayLiteral(Node):
    """`{a, b}`."""

    elements: "tuple[Expression, ...]"


@dataclass(frozen=True)
class RowVectorLiteral(Node):
    """`[a, b]`: a row vector, or a matrix if its elements are row vectors."""

    elements: "tuple[Expression, ...]"


@dataclass(frozen=True)
class TupleLiteral(Node):
    """`(a, b)`, with one element `(a,)`."""

    elements: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Unary(Node):
    """`-a`, `+a`, `!a`."""

    operator: str
    operand: "Expression"


@dataclass(frozen=True)
class Binary(Node):
    """`a + b` and its like. Chains lean to the left and may be long: walk `left` in a loop, not by recursion."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Transpose(Node):
    """`a'`."""

    operand: "Expression"


@dataclass(frozen=True)
class Conditional(Node):
    """`a ? b : c`."""

    condition: "Expression"
    if_true: "Expression"
    if_false: "Expression"


@dataclass(frozen=True)
class Slice(Node):
    """`a:b`, `a:`, `:b`, `:` or nothing in an index; both ends are included, a missing end means all on that side."""

    lower: "Expression | None"
    upper: "Expression | None"


@dataclass(frozen=True)
class Index(Node):
    """`a[i, j:k]`."""

    base: "Expression"
    indices: "tuple[Expression | Slice, ...]"


@dataclass(frozen=True)
class TupleElement(Node):
    """`a.1`, counted from 1."""

    base: "Expression"
    position: int


Expression = (
    IntLiteral
    | RealLiteral
    | ImaginaryLiteral
    | Variable
    | Call
    | TargetValue
    | ArrayLiteral
    | RowVectorLiteral
    | TupleLiteral
    | Unary
    | Binary
    | Transpose
    | Conditional
    | Index
    | TupleElement
)


# Types


@dataclass(frozen=True)
class Bounds(Node):
    """What stands between `<` and `>` behind a type."""

    lower: Expression | None = None
    upper: Expression | None = None
    offset: Expression | None = None
    multiplier: Expression | None = None


@dataclass(frozen=True)
class SizedType(Node):
    """Type of a declared variable.

    Attributes:
        base: Its word, such as `real`, `simplex` or `tuple`.
        dims: Sizes of the array around it, outermost first; empty if it is no array.
        sizes: What stands in brackets behind the word, such as the rows and columns of a `matrix`.
        bounds: Its bounds, or nothing.
        elements: Types of the elements of a `tuple`.
    """

    base: str
    dims: tuple[Expression, ...] = ()
    sizes: tuple[Expression, ...] = ()
    bounds: Bounds | None = None
    elements: "tuple[SizedType, ...]" = ()


@dataclass(frozen=True)
class UnsizedType(Node):
    """Type of an argument or of a result.

    Attributes:
        base: Its word, such as `real` or `tuple`.
        dims: Number of array dimensions around it.
        elements: Types of the elements of a `tuple`.
    """

    base: str
    dims: int = 0
    elements: "tuple[UnsizedType, ...]" = ()


# Statements


@dataclass(frozen=True)
class Declaration(Node):
    """`array[3] real<lower=0> x = e;`."""

    type: SizedType
    name: Identifier
    value: Expression | None = None


@dataclass(frozen=True)
class Assignment(Node):
    """`x[i] += e;`; the target is a `Variable`, an `Index` or `TupleElement` of one, or a `TupleLiteral` of these."""

    target: Expression
    operator: str
    value: Expression


@dataclass(frozen=True)
class Truncation(Node):
    """`T[a, b]`; an end may be missing."""

    lower: Expression | None
    upper: Expression | None


@dataclass(frozen=True)
class Sampling(Node):
    """`y ~ normal(mu, sigma) T[0, ];`, called a distribution statement since Stan 2.35."""

    outcome: Expression
    distribution: Identifier
    arguments: tuple[Expression, ...]
    truncation: Truncation | None = None


@dataclass(frozen=True)
class TargetIncrement(Node):
    """`target += e;`."""

    value: Expression


@dataclass(frozen=True)
class JacobianIncrement(Node):
    """`jacobian += e;`, since Stan 2.36."""

    value: Expression


@dataclass(frozen=True)
class CallStatement(Node):
    """`f(x);`, a void function called."""

    call: Call


@dataclass(frozen=True)
class Print(Node):
    """`print(...);`."""

    arguments: tuple[Expression | StringLiteral, ...]


@dataclass(frozen=True)
class Reject(Node):
    """`reject(...);`."""

    arguments: tuple[Expression | StringLiteral, ...]


@dataclass(frozen=True)
class FatalError(Node):
    """`fatal_error(...);`."""

    arguments: tuple[Expression | StringLiteral, ...]


@dataclass(frozen=True)
class Return(Node):
    """`return e;`, or without a value."""

    value: Expression | None


@dataclass(frozen=True)
class Break(Node):
    """`break;`."""


@dataclass(frozen=True)
class Continue(Node):
    """`continue;`."""


@dataclass(frozen=True)
class Skip(Node):
    """`;` alone."""


@dataclass(frozen=True)
class Block(Node):
    """Statements in braces: a nested block, or the content of a program block."""

    statements: "tuple[Statement, ...]"


@dataclass(frozen=True)
class Profile(Node):
    """`profile("name") { ... }`."""

    name: StringLiteral
    body: Block


@dataclass(frozen=True)
class If(Node):
    """`if (c) ... else ...`."""

    condition: Expression
    if_true: "Statement"
    if_false: "Statement | None" = None


@dataclass(frozen=True)
class While(Node):
    """`while (c) ...`."""

    condition: Expression
    body: "Statement"


@dataclass(frozen=True)
class For(Node):
    """`for (i in a:b) ...`."""

    variable: Identifier
    lower: Expression
    upper: Expression
    body: "Statement"


@dataclass(frozen=True)
class ForEach(Node):
    """`for (x in xs) ...`."""

    variable: Identifier
    container: Expression
    body: "Statement"


Statement = (
    Declaration
    | Assignment
    | Sampling
    | TargetIncrement
    | JacobianIncrement
    | CallStatement
    | Print
    | Reject
    | FatalError
    | Return
    | Break
    | Continue
    | Skip
    | Block
    | Profile
    | If
    | While
    | For
    | ForEach
)


# Programs


@dataclass(frozen=True)
class Argument(Node):
    """`data real x` in the head of a function."""

    type: UnsizedType
    name: Identifier
    data_only: bool = False


@dataclass(frozen=True)
class FunctionDefinition(Node):
    """A function; one without a `body` is a forward declaration, one without a `return_type` is `void`."""

    return_type: UnsizedType | None
    name: Identifier
    arguments: tuple[Argument, ...]
    body: Statement | None


@dataclass(frozen=True)
class Program(Node):
    """A program by blocks in their order; a block that is absent is None, one that is empty is not.

    Attributes:
        warnings: What should be written differently, in the order of the text.
    """

    functions: tuple[FunctionDefinition, ...] | None = None
    data: Block | None = None
    transformed_data: Block | None = None
    parameters: Block | None = None
    transformed_parameters: Block | None = None
    model: Block | None = None
    generated_quantities: Block | None = None
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False, repr=False)
