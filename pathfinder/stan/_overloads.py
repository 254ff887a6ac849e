"""Which of several signatures a call means.

Source: Stan reference manual, "User-defined functions", "Function overloading", and stanc3's
`src/frontend/SignatureMismatch.ml`: the signature that needs the fewest promotions is meant, and a tie is an error.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from pathfinder.stan._rules import GROUPS, Signature
from pathfinder.stan._signatures import LIBRARY
from pathfinder.stan._syntax import FunctionDefinition
from pathfinder.stan._types import Type, declared_type, promotions


MAX_SHOWN = 5  # signatures in a message, as in stanc
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class Argument(NamedTuple):
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
def resolve_library(name: str, arguments: tuple[Argument, ...]) -> Resolution:
    """`resolve` among the functions of the library; operators are asked for often, so answers are kept."""
    return resolve(library_candidates(name), arguments)


def resolve(candidates: Sequence[Candidate], arguments: tuple[Argument, ...]) -> Resolution:
    """The candidates that fit with the fewest promotions."""
    best: list[Candidate] = []
    best_cost, num_ways = 0, 0
    for option in candidates:
        fit = _fit(option.signature, arguments)
        if fit.failed_at is not None or (best and fit.cost > best_cost):
            continue
        if not best or fit.cost < best_cost:
            best, best_cost, num_ways = [], fit.cost, 0
        best.append(option)
        num_ways += fit.num_ways
    return Resolution(tuple(best), tied=num_ways > 1)


class _Fit(NamedTuple):
    cost: int = 0  # promotions, up to where it fails
    num_ways: int = 1
    failed_at: int | None = None  # position of the first argument that does not fit, -1 if their number is wrong


def _fit(signature: Signature, arguments: tuple[Argument, ...]) -> _Fit:
    if len(signature.arguments) != len(arguments):
        return _Fit(failed_at=-1)
    total, num_ways = 0, 1
    for i, (argument, wanted) in enumerate(zip(arguments, signature.arguments, strict=True)):
        costs = [cost for kind in wanted if (cost := promotions(argument.type, kind)) is not None]
        if not costs or (i in signature.data_only and not argument.data_only):
            return _Fit(total, failed_at=i)
        total += min(costs)
        num_ways *= costs.count(min(costs))
    return _Fit(total, num_ways)


class Mismatch(NamedTuple):
    """Why no candidate fits: in words, the argument to point at if it is only one, and the candidates."""

    message: str
    position: int | None
    hint: str


def ordinal(position: int) -> str:
    """`first` for position 0."""
    return _ORDINALS[position] if position < len(_ORDINALS) else f"{position + 1}th"


def in_words(types: Sequence[Type]) -> str:
    """Types in parentheses."""
    return f"({', '.join(map(str, types))})"


def explain_mismatch(
    name: str, candidates: Sequence[Candidate], arguments: tuple[Argument, ...], *, behind_function: str = ""
) -> Mismatch:
    """What to say about a call that fits no candidate.

    Args:
        name: The function.
        candidates: What it may be.
        arguments: What is passed.
        behind_function: The function passed by name in front of these arguments, if one is.
    """
    of = f"`{name}` behind `{behind_function}`" if behind_function else f"`{name}`"
    fits = [(_fit(option.signature, arguments), option) for option in candidates]
    furthest = max(-1 if fit.failed_at is None else fit.failed_at for fit, _ in fits)
    if furthest < 0:
        counts = sorted({len(option.signature.arguments) for option in candidates})
        several = ", ".join(map(str, counts[:-1])) + " or " if len(counts) > 1 else ""
        noun = "argument" if counts == [1] else "arguments"
        message = f"{of} takes {several}{counts[-1]} {noun}, found {len(arguments)}: {in_words(_types(arguments))}."
        return Mismatch(message, None, listed(name, [option for _, option in fits]))
    cheapest = min(fit.cost for fit, _ in fits if fit.failed_at == furthest)
    best = [option for fit, option in fits if (fit.failed_at, fit.cost) == (furthest, cheapest)]
    others = [option for fit, option in fits if (fit.failed_at, fit.cost) != (furthest, cheapest)]
    found = arguments[furthest]
    wanted = list(dict.fromkeys(kind for option in best for kind in option.signature.arguments[furthest]))
    subject = f"The {ordinal(furthest)} argument of {of}"
    if any(promotions(found.type, kind) is not None for kind in wanted):
        message = f"{subject} must be data, but this depends on parameters."
        advice = "Local variables and arguments of functions count as depending on them, if not marked `data`.\n"
        return Mismatch(message, furthest, advice + listed(name, best + others))
    if len(wanted) <= MAX_SHOWN:
        words = [f"`{kind}`" for kind in wanted]
        either = ", ".join(words[:-1]) + (" or " if words[:-1] else "") + words[-1]
        message = f"{subject} must be {either}, found `{found.type}`."
    else:
        message = f"{subject} cannot be `{found.type}` here; the arguments are {in_words(_types(arguments))}."
    return Mismatch(message, furthest, listed(name, best + others))


def explain_tie(name: str, candidates: Sequence[Candidate], arguments: tuple[Argument, ...]) -> Mismatch:
    """What to say about a call that fits several candidates equally well."""
    message = f"`{name}` with arguments {in_words(_types(arguments))} may mean several functions."
    return Mismatch(message, None, listed(name, candidates))


def _types(arguments: Sequence[Argument]) -> list[Type]:
    return [argument.type for argument in arguments]


def listed(name: str, candidates: Sequence[Candidate]) -> str:
    """The first few candidates, one per line; nothing if there are none."""
    if not candidates:
        return ""
    texts = [f"{name}{option.signature}" for option in candidates]
    shown = texts[:MAX_SHOWN]
    if len(texts) > len(shown):
        shown.append(f"and {len(texts) - len(shown)} more")
    groups = [f"where {word} is {types}" for word, types in GROUPS.items() if any(word in text for text in shown)]
    return "\n".join(["Available:", *(f"  {line}" for line in [*shown, *groups])])
