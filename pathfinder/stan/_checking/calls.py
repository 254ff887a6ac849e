"""Calls of functions: which one is meant, and whether it may be called there.

Source: Stan reference manual, "User-defined functions" and "Function calls"; where that is silent, stanc3's
`src/frontend/Typechecker.ml`.
"""

from collections.abc import Sequence

from pathfinder.stan._checking.call_mismatch import Called, Mismatch, explain_mismatch, explain_tie, listed
from pathfinder.stan._checking.environment import CONDITIONED, Environment, Place, is_discrete, normalized, suffix
from pathfinder.stan._syntax.diagnostics import StanTypeError
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._syntax.tree import Call, Expression, Identifier, Variable
from pathfinder.stan._types.higher_order import HIGHER_ORDER, REDUCE_SUM, HigherOrder
from pathfinder.stan._types.overloads import Candidate, PassedArgument, Resolution, resolve_library, resolve_overload
from pathfinder.stan._types.signature import Signature
from pathfinder.stan._types.tables import LIBRARY
from pathfinder.stan._types.types import INT, REAL, Type


_SLICED = ("real", "int", "matrix", "vector", "row_vector")
_REMOVED = {  # in Stan 2.33
    "fabs": "abs",
    "multiply_log": "lmultiply",
    "binomial_coefficient_log": "lchoose",
    "cov_exp_quad": "gp_exp_quad_cov",
    "if_else": "condition ? a : b",
}
_REMOVED_SUFFIXES = {"_cdf_log": ("_lcdf",), "_ccdf_log": ("_lccdf",), "_log": ("_lpdf", "_lpmf")}
_DENSITY_OF = {"_lpdf": "_lpmf", "_lupdf": "_lupmf", "_lpmf": "_lpdf", "_lupmf": "_lupdf"}


def call_type(environment: Environment, call: Call) -> Type:
    """Type of the value of a call whose arguments are checked.

    Raises:
        StanTypeError: If there is no such function, it does not take the arguments, has no value, or may not be
            called here.
    """
    name = call.function
    check_place(environment.place, name.text, call.span)
    _check_bar(call)
    environment.library_names[id(call)] = name.text
    if environment.is_higher_order(name.text):
        result = _higher_order_type(environment, call)
    else:
        found = resolved(environment, name, call.arguments, call.span)
        environment.note_definition(call, found)
        if found.result is None:
            raise StanTypeError(f"`{name.text}` has no value.", call.span, "A void function is a statement of its own.")
        result = found.result
    dependent = not is_discrete(result) and environment.depends(*call.arguments)
    return environment.record(call, result, dependent=dependent)


def check_place(place: Place, name: str, span: Span) -> None:
    """Refuse functions where their suffix forbids them."""
    block, ending = place.block, suffix(name)
    where = f"not in `{block}`" if place.function is None else f"not in the function `{place.function.name.text}`"
    match ending:
        case "_lupdf" | "_lupmf":
            if block != "model" and place.suffix not in ("_lpdf", "_lpmf"):
                places = "`model` and in functions with the suffix `_lpdf` or `_lpmf`"
                raise StanTypeError(f"`{name}` can be called only in {places}, {where}.", span)
        case "_lp":
            if block not in ("model", "transformed parameters") and place.suffix != "_lp":
                places = "`model`, in `transformed parameters` and in functions with the suffix `_lp`"
                raise StanTypeError(f"`{name}` can be called only in {places}, {where}.", span)
        case "_jacobian":
            if block != "transformed parameters" and place.suffix != "_jacobian":
                places = "`transformed parameters` and in functions with the suffix `_jacobian`"
                raise StanTypeError(f"`{name}` can be called only in {places}, {where}.", span)
        case "_rng":
            if place.in_size:
                raise StanTypeError("Sizes of variables of a block cannot be random.", span)
            if block not in ("transformed data", "generated quantities") and place.suffix != "_rng":
                places = "`transformed data`, in `generated quantities` and in functions with the suffix `_rng`"
                raise StanTypeError(f"`{name}` can be called only in {places}, {where}.", span)


def _check_bar(call: Call) -> None:
    name = call.function.text
    conditioned = name.endswith(CONDITIONED)
    if call.conditional and not conditioned:
        raise StanTypeError(
            f"`{name}` takes no `|`, only functions with the suffix {_endings()} do.", call.span, "Write `,`."
        )
    if conditioned and not call.conditional:
        hint = f"Write `{name}(y | ...)`."
        raise StanTypeError(f"A `|` must stand behind the first argument of `{name}`.", call.span, hint)


def _endings() -> str:
    return ", ".join(f"`{ending}`" for ending in CONDITIONED)


def resolved(environment: Environment, name: Identifier, arguments: Sequence[Expression], span: Span) -> Candidate:
    """The function that a call means.

    Args:
        environment: What is known here.
        name: The name of the function.
        arguments: The checked arguments.
        span: The call, to point at.

    Raises:
        StanTypeError: If there is none, or several.
    """
    passed = tuple(environment.argument(argument) for argument in arguments)
    if name.text in environment.variables and normalized(name.text) not in LIBRARY:
        raise StanTypeError(f"`{name.text}` is a variable, no function.", name.span)
    found = resolution(environment, name.text, passed)
    if found.candidates and not found.tied:
        return found.candidates[0]
    candidates = environment.candidates(name.text)
    if not candidates:
        raise _unknown_function(environment, name)
    if found.tied:
        raise _error(explain_tie(Called(name.text), found.candidates, passed), arguments, span)
    raise _error(explain_mismatch(Called(name.text), candidates, passed), arguments, span)


def resolution(environment: Environment, name: str, passed: tuple[PassedArgument, ...]) -> Resolution:
    """What a call by that name may mean."""
    name = normalized(name)
    if name in environment.functions:
        return resolve_overload(environment.candidates(name), passed)
    return resolve_library(name, passed)


def _error(mismatch: Mismatch, arguments: Sequence[Expression], span: Span) -> StanTypeError:
    at = span if mismatch.position is None else arguments[mismatch.position].span
    return StanTypeError(mismatch.message, at, mismatch.hint)


def _unknown_function(environment: Environment, name: Identifier) -> StanTypeError:
    ending = suffix(name.text)
    other = name.text.removesuffix(ending) + _DENSITY_OF.get(ending, "")
    if ending in _DENSITY_OF and environment.candidates(other):
        outcome = "integers" if other.endswith("pmf") else "real numbers"
        return StanTypeError(
            f"The function `{name.text}` is not known here.", name.span, f"`{other}` is, a distribution of {outcome}."
        )
    if (new := _new_name(environment, name.text)) is not None:
        return StanTypeError(f"`{name.text}` is no function of Stan any more.", name.span, f"Write `{new}`.")
    return environment.unknown("The function", name.text, name.span)


def _new_name(environment: Environment, name: str) -> str | None:
    """What is written instead of a function that Stan has dropped."""
    if name in _REMOVED:
        return _REMOVED[name]
    for old, endings in _REMOVED_SUFFIXES.items():
        for ending in endings:
            if name.endswith(old) and environment.candidates(name.removesuffix(old) + ending):
                return name.removesuffix(old) + ending
    return None


def _higher_order_type(environment: Environment, call: Call) -> Type:
    name, arguments = call.function.text, call.arguments
    if not arguments or environment.types[id(arguments[0])].base != "function":
        span = arguments[0].span if arguments else call.span
        raise StanTypeError(f"The first argument of `{name}` must be the name of a function.", span)
    function = arguments[0]
    assert isinstance(function, Variable)  # nothing else is of type function
    _check_kind(function, name)
    passed = tuple(environment.argument(argument) for argument in arguments[1:])
    if name in REDUCE_SUM:
        _check_sliced(call, passed)
    suitable = [
        (option, demands)
        for option in environment.candidates(function.name)
        if _suits(option, demands := _demands(name, option))
    ]
    if not suitable:
        raise StanTypeError(
            f"`{name}` needs a function {_wanted(name, passed)}, and `{function.name}` is none.",
            function.span,
            listed(Called(function.name), environment.candidates(function.name)),
        )
    full = [
        Candidate(_with_tail(controls, option.signature, demands.function), controls.result, option.definition)
        for option, demands in suitable
        for controls in demands.calls
    ]
    found, called = resolve_overload(full, passed), Called(name, behind=function.name)
    if found.tied:
        raise _error(explain_tie(called, found.candidates, passed), arguments[1:], call.span)
    if not found.candidates:
        raise _error(explain_mismatch(called, full, passed), arguments[1:], call.span)
    environment.note_definition(function, found.candidates[0])
    result = found.candidates[0].result
    assert result is not None  # no function of the library is void
    return result


def _demands(name: str, option: Candidate) -> HigherOrder:
    """What a function asks of the one that is passed; `reduce_sum` slices what that one takes first."""
    if name not in REDUCE_SUM:
        return HIGHER_ORDER[name]
    sliced = option.signature.arguments[:1]
    function = Signature((*sliced, (INT,), (INT,)), REAL, data_only=(0, 1, 2))
    call = Signature((*sliced, (INT,)), REAL, data_only=tuple({0} & set(option.signature.data_only)))
    return HigherOrder(function, (call,))


def _check_sliced(call: Call, passed: Sequence[PassedArgument]) -> None:
    name = call.function.text
    if not passed:
        raise StanTypeError(f"`{name}` takes at least 3 arguments, found 1.", call.span)
    sliced = passed[0].type
    if sliced.dims == 0 or sliced.base not in _SLICED:
        raise StanTypeError(
            f"`{name}` slices an array of numbers, vectors or matrices, found `{sliced}`.", call.arguments[1].span
        )


def _wanted(name: str, passed: Sequence[PassedArgument]) -> str:
    """The function that is asked for, in words."""
    if name in REDUCE_SUM:
        return f"({passed[0].type}, int, int, ...) => real"
    demands = HIGHER_ORDER[name]
    arguments = [demands.function.argument(i) for i in range(len(demands.function.arguments))]
    return f"({', '.join([*arguments, *(['...'] if demands.variadic else [])])}) => {demands.function.result}"


def _check_kind(function: Variable, caller: str) -> None:
    ending = suffix(function.name)
    allowed = ("_lpdf", "_lpmf", "_lupdf", "_lupmf") if caller in REDUCE_SUM else ()
    if ending in ("_rng", "_lp", "_jacobian", "_lpdf", "_lpmf", "_lupdf", "_lupmf") and ending not in allowed:
        raise StanTypeError(f"`{caller}` takes no function with the suffix `{ending}`.", function.span)


def _suits(option: Candidate, demands: HigherOrder) -> bool:
    """Whether a function begins with the required arguments, without promotions."""
    own, required = option.signature, demands.function
    num_own, num_required = len(own.arguments), len(required.arguments)
    if num_own < num_required or (not demands.variadic and num_own > num_required):
        return False
    if any(kinds[0] not in own.arguments[i] for i, kinds in enumerate(required.arguments)):
        return False
    if any(i < num_required and i not in required.data_only for i in own.data_only):
        return False
    return option.result == required.result


def _with_tail(controls: Signature, own: Signature, required: Signature) -> Signature:
    """The arguments behind the function: its controls, then what the function takes beyond the required ones."""
    num_required = len(required.arguments)
    shift = len(controls.arguments) - num_required
    data_only = (*controls.data_only, *(i + shift for i in own.data_only if i >= num_required))
    return Signature((*controls.arguments, *own.arguments[num_required:]), controls.result, data_only)
