"""Why a call fits no signature, in words."""

from collections.abc import Sequence
from typing import NamedTuple

from pathfinder.stan._types.overloads import Candidate, PassedArgument, fit
from pathfinder.stan._types.signature import GROUPS, Signature
from pathfinder.stan._types.types import Type, promotions


MAX_SHOWN = 5  # signatures in a message, as in stanc
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class Called(NamedTuple):
    """How a call is written, which is how messages speak of it.

    Attributes:
        name: The function, or the distribution.
        behind: The function passed by name that stands in front of the arguments, if one does.
        is_sampled: Written `y ~ name(...)`: the first argument stands in front.
    """

    name: str
    behind: str = ""
    is_sampled: bool = False

    def subject(self, position: int | None = None) -> str:
        """The function, or its argument at `position`."""
        whole = f"`{self.name}` behind `{self.behind}`" if self.behind else f"`{self.name}`"
        if position is None:
            return whole
        if self.is_sampled and position == 0:
            return f"The outcome of {whole}"
        return f"The {ordinal(position - self.is_sampled)} argument of {whole}"

    def row(self, signature: Signature) -> str:
        """A signature as such a call."""
        if not self.is_sampled:
            return f"{self.name}{signature}"
        parameters = [signature.argument(i) for i in range(1, len(signature.arguments))]
        return f"{signature.argument(0)} ~ {self.name}({', '.join(parameters)})"


class Mismatch(NamedTuple):
    """What is wrong: in words, the argument to point at if it is only one, and what there is to choose from."""

    message: str
    position: int | None
    hint: str


def ordinal(position: int) -> str:
    """`first` for position 0."""
    return _ORDINALS[position] if position < len(_ORDINALS) else f"{position + 1}th"


def in_words(arguments: Sequence[PassedArgument]) -> str:
    """Types of arguments, in parentheses."""
    return f"({', '.join(str(argument.type) for argument in arguments)})"


def explain_mismatch(
    called: Called, candidates: Sequence[Candidate], arguments: tuple[PassedArgument, ...]
) -> Mismatch:
    """What to say about a call that fits no candidate."""
    fits = [(fit(option.signature, arguments), option) for option in candidates]
    furthest = max(-1 if found.failed_at is None else found.failed_at for found, _ in fits)
    if furthest < 0:
        return Mismatch(_wrong_number(called, candidates, arguments), None, listed(called, candidates))
    cheapest = min(found.cost for found, _ in fits if found.failed_at == furthest)
    best = [option for found, option in fits if (found.failed_at, found.cost) == (furthest, cheapest)]
    others = [option for found, option in fits if (found.failed_at, found.cost) != (furthest, cheapest)]
    wanted = list(dict.fromkeys(kind for option in best for kind in option.signature.arguments[furthest]))
    found, subject, hint = arguments[furthest].type, called.subject(furthest), listed(called, best + others)
    if any(promotions(found, kind) is not None for kind in wanted):
        advice = "Local variables and arguments of functions count as depending on them, if not marked `data`."
        message = f"{subject} must be data, but this depends on parameters."
        return Mismatch(message, furthest, f"{advice}\n{hint}")
    if len(wanted) <= MAX_SHOWN:
        message = f"{subject} must be {_either(wanted)}, found `{found}`."
    else:
        message = f"{subject} cannot be `{found}` here; the arguments are {in_words(arguments)}."
    return Mismatch(message, furthest, hint)


def _wrong_number(called: Called, candidates: Sequence[Candidate], arguments: tuple[PassedArgument, ...]) -> str:
    counts = sorted({len(option.signature.arguments) - called.is_sampled for option in candidates})
    several = ", ".join(map(str, counts[:-1])) + " or " if len(counts) > 1 else ""
    noun = "argument" if counts == [1] else "arguments"
    behind = arguments[called.is_sampled :]
    return f"{called.subject()} takes {several}{counts[-1]} {noun}, found {len(behind)}: {in_words(behind)}."


def _either(kinds: Sequence[Type]) -> str:
    words = [f"`{kind}`" for kind in kinds]
    return ", ".join(words[:-1]) + (" or " if words[:-1] else "") + words[-1]


def explain_tie(called: Called, candidates: Sequence[Candidate], arguments: tuple[PassedArgument, ...]) -> Mismatch:
    """What to say about a call that fits several candidates equally well."""
    message = f"{called.subject()} with arguments {in_words(arguments)} may mean several functions."
    return Mismatch(message, None, listed(called, candidates))


def listed(called: Called, candidates: Sequence[Candidate]) -> str:
    """The first few candidates, one per line; nothing if there are none."""
    if not candidates:
        return ""
    texts = [called.row(option.signature) for option in candidates]
    shown = texts[:MAX_SHOWN]
    if len(texts) > len(shown):
        shown.append(f"and {len(texts) - len(shown)} more")
    groups = [f"where {word} is {types}" for word, types in GROUPS.items() if any(word in text for text in shown)]
    return "\n".join(["Available:", *(f"  {line}" for line in [*shown, *groups])])
