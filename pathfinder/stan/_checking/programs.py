"""Checked programs: every name is known, every expression has a type.

Source: Stan reference manual; what it leaves open is decided as stanc3 does, up to Stan 2.40. Of stanc's warnings two
are given: division of integers, and reading a variable that has no value yet.
"""

from dataclasses import dataclass, field

from pathfinder.stan._checking.environment import Environment, Place
from pathfinder.stan._checking.functions import check_function, declare_functions
from pathfinder.stan._checking.initialization import uninitialized
from pathfinder.stan._checking.statements import check_statements
from pathfinder.stan._syntax.diagnostics import Diagnostic
from pathfinder.stan._syntax.tree import Call, Expression, FunctionDefinition, Program, Sampling, Variable
from pathfinder.stan._types.types import Type


BLOCKS = ("data", "transformed data", "parameters", "transformed parameters", "model", "generated quantities")


@dataclass(frozen=True, eq=False)
class CheckedProgram:
    """A program that is right, with what was found out about it.

    Attributes:
        program: Its tree; questions are asked about nodes of this very tree.
        warnings: What is probably not meant, in the order of the text.
    """

    program: Program
    warnings: tuple[Diagnostic, ...]
    _found: Environment = field(repr=False)

    def type_of(self, expression: Expression) -> Type:
        """Type of an expression; `function` for a function that is passed by name."""
        return self._found.types[id(expression)]

    def data_only(self, expression: Expression) -> bool:
        """Whether an expression depends on no parameter.

        As in stanc, real local variables and arguments count as depending on parameters, except where no parameter
        can be seen, and integers never do.
        """
        return not self._found.depends(expression)

    def definition(self, node: Call | Sampling | Variable) -> FunctionDefinition | None:
        """The user's function that is called or, at a `Variable`, passed by name; None where the library's is."""
        return self._found.definitions.get(id(node))

    def cumulative(self, end: Expression, ending: str) -> FunctionDefinition | None:
        """The user's function `foo_lcdf` or `foo_lccdf` that a truncation with that end calls, or None."""
        return self._found.cumulatives.get((id(end), ending))

    def has_cumulatives(self, end: Expression) -> bool:
        """Whether a truncation with that end calls functions of the user."""
        return any(self.cumulative(end, ending) is not None for ending in ("_lcdf", "_lccdf"))

    def library_name(self, node: Call | Sampling) -> str:
        """The full name of the function used, such as `normal_lpdf` for `y ~ normal(0, 1)`."""
        return self._found.library_names[id(node)]


def check(program: Program) -> CheckedProgram:
    """Find the types in a program, and check all that can be checked without data.

    Raises:
        StanTypeError: If the program is wrong.
    """
    environment = Environment()
    functions = program.functions or ()
    declare_functions(environment, functions)
    for definition in functions:
        check_function(environment, definition)
    for title in BLOCKS:
        block = getattr(program, title.replace(" ", "_"))
        if block is None:
            continue
        environment.place = Place(title)
        if title == "model":
            with environment.inside():  # its variables are not seen behind it
                check_statements(environment, block.statements)
        else:
            check_statements(environment, block.statements, is_global=True)
    warnings = [*environment.warnings, *uninitialized(program)]
    return CheckedProgram(program, tuple(sorted(warnings, key=_place)), environment)


def _place(warning: Diagnostic) -> tuple[int, ...]:
    """Sorts an included text to where it was included."""
    place, source = [warning.span.start], warning.span.source
    while source.included_at is not None:
        place.append(source.included_at.start)
        source = source.included_at.source
    return tuple(reversed(place))
