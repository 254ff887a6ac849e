"""What is known at a place in a program: variables, functions, the block, and the findings so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pathfinder.stan._syntax.diagnostics import Diagnostic, StanTypeError, nearest
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._syntax.tree import Expression, FunctionDefinition, Identifier, Node
from pathfinder.stan._types.higher_order import HIGHER_ORDER, REDUCE_SUM
from pathfinder.stan._types.overloads import Candidate, PassedArgument, library_candidates
from pathfinder.stan._types.tables import LIBRARY
from pathfinder.stan._types.types import Type


# Words of C++ and of Stan's future, which stanc refuses as names too.
_RESERVED = frozenset(("typedef", "struct", "var", "export", "extern", "static", "auto"))
_DEPENDENT_BLOCKS = frozenset(("functions", "parameters", "transformed parameters", "model"))
_UNNORMALIZED = {"_lupdf": "_lpdf", "_lupmf": "_lpmf"}
SUFFIXES = (
    *("_lpdf", "_lpmf", "_lupdf", "_lupmf", "_lcdf", "_lccdf", "_cdf"),
    *("_rng", "_lp", "_jacobian"),
)
CONDITIONED = SUFFIXES[:7]


def suffix(name: str) -> str:
    """The suffix that gives a function its kind, or nothing."""
    return next((ending for ending in SUFFIXES if name.endswith(ending)), "")


def normalized(name: str) -> str:
    """`foo_lpdf` for `foo_lupdf`: both are defined by one function."""
    for ending, plain in _UNNORMALIZED.items():
        if name.endswith(ending):
            return name.removesuffix(ending) + plain
    return name


@dataclass(frozen=True)
class ScopedVariable:
    """A variable in scope.

    Attributes:
        type: Its type.
        block: Where it was declared; that of an argument is `data` or `parameters`.
        is_global: Declared at the top of a block other than `model`.
        fixed: What it is that cannot be assigned to, such as `a loop variable`; else empty.
    """

    type: Type
    block: str
    is_global: bool = False
    fixed: str = ""


@dataclass(frozen=True)
class Place:
    """Where a statement or expression stands.

    Attributes:
        block: The block.
        function: The function whose body it is in.
        num_loops: How many loops it is in.
        in_size: It is a size of a variable at the top of a block.
    """

    block: str
    function: FunctionDefinition | None = None
    num_loops: int = 0
    in_size: bool = False

    @property
    def suffix(self) -> str:
        """The suffix of the function."""
        return suffix(self.function.name.text) if self.function else ""


def is_discrete(kind: Type) -> bool:
    """Made of integers only, which never depend continuously on parameters."""
    return all(is_discrete(element) for element in kind.elements) if kind.base == "tuple" else kind.base == "int"


@dataclass
class Environment:
    """Names in scope, and what has been found out about the nodes of the program, keyed by `id`."""

    place: Place = Place("functions")
    variables: dict[str, ScopedVariable] = field(default_factory=dict)
    functions: dict[str, list[Candidate]] = field(default_factory=dict)
    types: dict[int, Type] = field(default_factory=dict)
    dependent: set[int] = field(default_factory=set)
    definitions: dict[int, FunctionDefinition] = field(default_factory=dict)
    cumulatives: dict[tuple[int, str], FunctionDefinition] = field(default_factory=dict)
    library_names: dict[int, str] = field(default_factory=dict)
    warnings: list[Diagnostic] = field(default_factory=list)

    def record(self, expression: Expression, kind: Type, *, dependent: bool) -> Type:
        """Note the type of an expression, and whether it depends on parameters."""
        self.types[id(expression)] = kind
        if dependent:
            self.dependent.add(id(expression))
        return kind

    def depends(self, *expressions: Expression) -> bool:
        """Whether one of the expressions depends on parameters."""
        return any(id(expression) in self.dependent for expression in expressions)

    def argument(self, expression: Expression) -> PassedArgument:
        """A checked expression as an argument of a call."""
        return PassedArgument(self.types[id(expression)], not self.depends(expression))

    def variable_depends(self, variable: ScopedVariable) -> bool:
        """Whether a variable depends on parameters; in `generated quantities` nothing does any more."""
        if is_discrete(variable.type) or self.place.block == "generated quantities":
            return False
        return variable.block in _DEPENDENT_BLOCKS

    @contextmanager
    def inside(self, **changes: object) -> Iterator[None]:
        """Variables declared within are forgotten behind it; the place is another one."""
        variables, place = self.variables, self.place
        self.variables, self.place = dict(variables), replace(place, **changes)
        yield
        self.variables, self.place = variables, place

    def declare(self, name: Identifier, variable: ScopedVariable) -> None:
        """Bring a variable into scope.

        Raises:
            StanTypeError: If the name is taken or not allowed.
        """
        check_name(name)
        if name.text != normalized(name.text):
            raise StanTypeError(f"The name `{name.text}` ends as only functions called elsewhere may.", name.span)
        if name.text in self.variables:
            raise StanTypeError(f"`{name.text}` is declared already.", name.span)
        self.variables[name.text] = variable

    def note_definition(self, node: Node, found: Candidate) -> None:
        """Note which function of the user a call means, if it is one."""
        if found.definition is not None:
            self.definitions[id(node)] = found.definition

    def candidates(self, name: str) -> tuple[Candidate, ...]:
        """The functions with a name, users' own first."""
        name = normalized(name)
        return (*self.functions.get(name, ()), *library_candidates(name))

    def is_higher_order(self, name: str) -> bool:
        """Whether calls by that name are of a function of the library that takes a function."""
        return (name in HIGHER_ORDER and name not in self.functions) or name in REDUCE_SUM

    def is_function(self, name: str) -> bool:
        """Whether there is a function of that name."""
        name = normalized(name)
        return name in self.functions or name in LIBRARY or name in HIGHER_ORDER or name in REDUCE_SUM

    def unknown(self, what: str, name: str, span: Span) -> StanTypeError:
        """Error for a name that nothing has."""
        own = nearest(name, [*self.variables, *self.functions])
        hint = own or nearest(name, [*LIBRARY, *HIGHER_ORDER, *REDUCE_SUM])
        return StanTypeError(f"{what} `{name}` is not known here.", span, hint)


def check_name(name: Identifier) -> None:
    """Refuse words that are kept for C++."""
    if name.text in _RESERVED:
        raise StanTypeError(f"`{name.text}` is reserved and cannot be a name.", name.span)
