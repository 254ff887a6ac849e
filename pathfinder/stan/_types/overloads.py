"""Which of several signatures a call means.

Source: Stan reference manual, "User-defined functions", "Function overloading", and stanc3's
`src/frontend/SignatureMismatch.ml`: the signature that needs the fewest promotions is meant, and a tie is an error.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from pathfinder.stan._syntax.tree import FunctionDefinition
from pathfinder.stan._types.signature import Signature
from pathfinder.stan._types.tables import LIBRARY
from pathfinder.stan._types.types import Type, declared_type, promotions


class PassedArgument(NamedTuple):
    """What a call passes."""

    type: Type
    data_only: bool


class Candidate(NamedTuple):
    """A function that a call may mean; void without a result, of the library without a definition."""

    signature: Signature
    result: Type | None
    definition: FunctionDefinition | None = None


class Resolution(NamedTuple):
    """Candidates that need the fewest promotions; the call is right if there is exactly one."""

    candidates: tuple[Candidate, ...]
    tied: bool = False  # also where one candidate fits in several equally good ways


def candidate(definition: FunctionDefinition) -> Candidate:
    """A user's function as a candidate."""
    arguments = tuple((declared_type(argument.type),) for argument in definition.arguments)
    data_only = tuple(i for i, argument in enumerate(definition.arguments) if argument.data_only)
    result = None if definition.return_type is None else declared_type(definition.return_type)
    # A void function has no result to print; its candidate says so.
    return Candidate(Signature(arguments, result or Type("void"), data_only), result, definition)


@cache
def library_candidates(name: str) -> tuple[Candidate, ...]:
    """The functions of the library with that name."""
    return tuple(Candidate(signature, signature.result) for signature in LIBRARY.get(name, ()))


@lru_cache(maxsize=10_000)
def resolve_library(name: str, arguments: tuple[PassedArgument, ...]) -> Resolution:
    """As `resolve_overload`, among the functions of the library; operators are asked for often: answers are kept."""
    return resolve_overload(library_candidates(name), arguments)


def resolve_overload(candidates: Sequence[Candidate], arguments: tuple[PassedArgument, ...]) -> Resolution:
    """The candidates that fit with the fewest promotions."""
    best: list[Candidate] = []
    best_cost, num_ways = 0, 0
    for option in candidates:
        found = fit(option.signature, arguments)
        if found.failed_at is not None or (best and found.cost > best_cost):
            continue
        if not best or found.cost < best_cost:
            best, best_cost, num_ways = [], found.cost, 0
        best.append(option)
        num_ways += found.num_ways
    return Resolution(tuple(best), tied=num_ways > 1)


class Fit(NamedTuple):
    """How arguments fit a signature.

    Attributes:
        cost: Number of promotions, up to where it fails.
        num_ways: In how many ways, equally good.
        failed_at: Position of the first argument that does not fit, -1 if their number is wrong, else None.
    """

    cost: int = 0
    num_ways: int = 1
    failed_at: int | None = None


def fit(signature: Signature, arguments: tuple[PassedArgument, ...]) -> Fit:
    """How arguments fit a signature."""
    if len(signature.arguments) != len(arguments):
        return Fit(failed_at=-1)
    total, num_ways = 0, 1
    for i, (argument, wanted) in enumerate(zip(arguments, signature.arguments, strict=True)):
        costs = [cost for kind in wanted if (cost := promotions(argument.type, kind)) is not None]
        if not costs or (i in signature.data_only and not argument.data_only):
            return Fit(total, failed_at=i)
        total += min(costs)
        num_ways *= costs.count(min(costs))
    return Fit(total, num_ways)
