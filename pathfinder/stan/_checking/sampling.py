"""Distribution statements.

Source: Stan reference manual, "Statements", "Distribution statements" and "Truncated distributions".
"""

from collections.abc import Sequence

from pathfinder.stan._checking.call_mismatch import Called, explain_mismatch, explain_tie, in_words
from pathfinder.stan._checking.calls import resolution
from pathfinder.stan._checking.embedded_laplace import refuse_embedded_laplace
from pathfinder.stan._checking.environment import CONDITIONED, Environment
from pathfinder.stan._checking.expressions import check_expression
from pathfinder.stan._syntax.diagnostics import StanTypeError, nearest
from pathfinder.stan._syntax.tree import Expression, Identifier, Sampling, Statement
from pathfinder.stan._types.tables import LIBRARY
from pathfinder.stan._types.types import INT, REAL


def check_sampling(environment: Environment, statement: Sampling) -> None:
    """Check a distribution statement, and note which function it means.

    Raises:
        StanTypeError: If it is wrong.
    """
    name, arguments = statement.distribution, (statement.outcome, *statement.arguments)
    refuse_embedded_laplace(name, "_lpmf")
    for argument in arguments:
        check_expression(environment, argument)
    bounds = []
    if statement.truncation:
        bounds = [end for end in (statement.truncation.lower, statement.truncation.upper) if end is not None]
    for bound in bounds:
        found = check_expression(environment, bound)
        if found not in (INT, REAL):
            raise StanTypeError(f"An end of a truncation must be `int` or `real`, found `{found}`.", bound.span)
    ending = next((ending for ending in CONDITIONED if name.text.endswith(ending)), "")
    if ending:
        bare = name.text.removesuffix(ending)
        message = f"Behind `~` a distribution stands without its suffix `{ending}`."
        raise StanTypeError(message, name.span, f"Write `{bare}`.")
    check_target_place(environment, statement, "`~` can stand")
    passed = tuple(environment.argument(argument) for argument in arguments)
    found = [(suffix, resolution(environment, name.text + suffix, passed)) for suffix in ("_lpmf", "_lpdf")]
    for suffix, option in found:
        if option.candidates and not option.tied:
            environment.note_definition(statement, option.candidates[0])
            environment.library_names[id(statement)] = name.text + suffix
            if statement.truncation:
                _check_truncated(environment, statement, bounds)
            return
    candidates = [option for suffix, _ in found for option in environment.candidates(name.text + suffix)]
    tied = [option for _, option in found if option.tied]
    if not candidates:
        raise _unknown_distribution(environment, name)
    called = Called(name.text, is_sampled=True)
    mismatch = explain_tie(called, tied[0].candidates, passed) if tied else explain_mismatch(called, candidates, passed)
    at = statement.span if mismatch.position is None else arguments[mismatch.position].span
    raise StanTypeError(mismatch.message, at, mismatch.hint)


def _unknown_distribution(environment: Environment, name: Identifier) -> StanTypeError:
    known = {
        function.removesuffix(suffix)
        for function in (*environment.functions, *LIBRARY)
        for suffix in ("_lpdf", "_lpmf")
        if function.endswith(suffix)
    }
    return StanTypeError(f"The distribution `{name.text}` is not known here.", name.span, nearest(name.text, known))


def check_target_place(environment: Environment, statement: Statement, what: str) -> None:
    """Refuse statements that add to the log density where there is none.

    Raises:
        StanTypeError: If this is such a place; the message begins with `what`.
    """
    place = environment.place
    if place.block != "model" and place.suffix != "_lp":
        hint = "Write `jacobian += ...;` here." if place.block == "transformed parameters" else ""
        raise StanTypeError(f"{what} only in `model` and in functions with the suffix `_lp`.", statement.span, hint)


def _check_truncated(environment: Environment, statement: Sampling, bounds: Sequence[Expression]) -> None:
    """Check that outcomes can be compared, and that the distribution functions exist that a truncation needs."""
    name, outcome = statement.distribution, environment.types[id(statement.outcome)]
    if outcome.base.startswith("complex") or outcome.base == "tuple":
        message = f"The outcome of a truncated distribution must be made of `int` or `real`, found `{outcome}`."
        raise StanTypeError(message, statement.outcome.span)
    parameters = tuple(environment.argument(argument) for argument in statement.arguments)
    for bound in bounds:
        for ending in ("_lcdf", "_lccdf"):
            passed = (environment.argument(bound), *parameters)
            found = resolution(environment, name.text + ending, passed)
            if found.tied or [option.result for option in found.candidates] != [REAL]:
                message = f"Truncation needs a function `{name.text}{ending}` of {in_words(passed)}."
                raise StanTypeError(message, bound.span)
            definition = found.candidates[0].definition
            if definition is not None:
                environment.cumulatives[id(bound), ending] = definition
