"""What solvers ask of their arguments, and that they find a solution.

Source: checks at the top of `ode_rk45`, `cvodes_integrator`, `solve_newton`, `solve_powell` and `integrate_1d` in Stan
Math. Where they depend on parameters, a point that fails them is rejected; where they are known from the data, failing
is an error while data are transformed, and rejects all points elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.solvers.ode import all_finite, in_order, is_before
from pathfinder.stan._state.errors import StanRejectError
from pathfinder.stan._state.run import Run, here
from pathfinder.stan._syntax.tree import Call, Expression
from pathfinder.stan._values.contexts import deepest
from pathfinder.stan._values.lanes import Lanes, array_of, context_of, is_static, over_lanes
from pathfinder.stan._values.value import Value


@dataclass(frozen=True)
class Requirement:
    """Something that has to hold of arguments of a solver.

    Attributes:
        arguments: Names of those that it is about.
        holds: Whether it does, from their arrays to a logical array of one element.
        words: What has to hold.
    """

    arguments: tuple[str, ...]
    holds: Callable[..., Any]
    words: str


_FINITE_ARGUMENTS = Requirement(("arguments",), all_finite, "the arguments of its function have to be finite")

ODE = (
    Requirement(("initial state",), all_finite, "the initial state has to be finite"),
    Requirement(("initial time",), all_finite, "the initial time has to be finite"),
    Requirement(("times",), all_finite, "the times have to be finite"),
    _FINITE_ARGUMENTS,
    Requirement(("times",), in_order, "no time may be less than the one before"),
    Requirement(("initial time", "times"), is_before, "the initial time has to be less than the first of the times"),
)
ROOT = (Requirement(("initial guess",), all_finite, "the initial guess has to be finite"), _FINITE_ARGUMENTS)
INTEGRAL = (
    Requirement(
        ("lower limit", "upper limit"), lambda a, b: jnp.asarray(a) <= b, "the lower limit may not exceed the upper one"
    ),
    Requirement(
        ("lower limit", "upper limit"),
        lambda a, b: (jnp.asarray(a) < b) | jnp.isfinite(a),
        "the limits may not be the same infinity",
    ),
)

_POSITIVE: tuple[Callable[[float], bool], str] = (lambda x: 0 < x < np.inf, "positive and finite")
_NOT_NEGATIVE: tuple[Callable[[float], bool], str] = (lambda x: x >= 0, "zero or positive")
_COUNT: tuple[Callable[[float], bool], str] = (lambda x: x > 0, "positive")
SETTINGS = {
    "ode": (
        ("the relative tolerance", *_POSITIVE),
        ("the absolute tolerance", *_POSITIVE),
        ("the largest number of steps", *_COUNT),
    ),
    "adjoint": (
        ("the relative tolerance forwards", *_POSITIVE),
        ("the absolute tolerance forwards", *_POSITIVE),
        ("the relative tolerance backwards", *_POSITIVE),
        ("the absolute tolerance backwards", *_POSITIVE),
        ("the relative tolerance of quadrature", *_POSITIVE),
        ("the absolute tolerance of quadrature", *_POSITIVE),
        ("the largest number of steps", *_COUNT),
        ("the number of steps between checkpoints", *_COUNT),
        ("the kind of interpolation", lambda x: x in (1, 2), "1 (Hermite) or 2 (polynomial)"),
        ("the method forwards", lambda x: x in (1, 2), "1 (Adams) or 2 (BDF)"),
        ("the method backwards", lambda x: x in (1, 2), "1 (Adams) or 2 (BDF)"),
    ),
    "root": (
        ("the relative or scaling tolerance", *_NOT_NEGATIVE),
        ("the function tolerance", *_NOT_NEGATIVE),
        ("the largest number of steps", *_COUNT),
    ),
    "integral": (
        ("the relative tolerance", *_NOT_NEGATIVE),
        ("the absolute tolerance", *_NOT_NEGATIVE),
        ("the largest depth or number of refinements", *_NOT_NEGATIVE),
    ),
}


def require_settings(run: Run, solver: str, name: str, values: Sequence[Value], nodes: Sequence[Expression]) -> bool:
    """Whether tolerances and limits, known from the data, are what they may be; else every point is rejected.

    Args:
        run: The evaluation.
        solver: Its kind, a key of `SETTINGS`.
        name: Of the function.
        values: In the order of the table.
        nodes: Where they stand.

    Raises:
        StanRejectError: If one is not, while data are transformed; shows its place.
    """
    are_possible = True
    for (what, holds, wanted), value, node in zip(SETTINGS[solver], values, nodes, strict=False):
        for number in np.ravel(array_of(value)):
            if not holds(number):
                _demand(run, node, np.asarray(False), f"`{name}`: {what} has to be {wanted}, but is {number:.6g}")
                are_possible = False
    return are_possible


def require_arguments(
    run: Run, node: Call, name: str, requirements: Sequence[Requirement], values: Mapping[str, Any]
) -> None:
    """What a solver asks of its arguments holds, or the point is rejected.

    Raises:
        StanRejectError: If it does not hold while data are transformed.
    """
    for requirement in requirements:
        given = [values[argument] for argument in requirement.arguments]
        context = deepest([context_of(value, run.machine.frame.root) for value in given], run.machine.frame.root)
        _demand(run, node, over_lanes(requirement.holds, given, context), f"`{name}`: {requirement.words}{_but(given)}")


def require_solution(run: Run, node: Call, name: str, value: Value) -> Value:
    """The value of a solver if it found one; else the point is rejected.

    Raises:
        StanRejectError: If there is none while data are transformed.
    """
    holds = over_lanes(all_finite, [value], context_of(value, run.machine.frame.root))
    what = "it needs too many steps, meets values that are not finite, or its function rejects what it is given"
    _demand(run, node, holds, f"`{name}` finds no solution: {what}")
    return value


def _demand(run: Run, node: Expression, holds: Value, words: str) -> None:
    holds = here(run, holds)
    if is_static(holds) and np.all(array_of(holds)):
        return
    if is_static(holds) and run.on_data and run.machine.frame.mask is None:
        raise StanRejectError(words, node.span)
    run.machine.target.require(holds)


def _but(values: Sequence[Value]) -> str:
    """The values in words, where they are known, few and the same for all lanes."""
    arrays = [value for value in values if not isinstance(value, tuple | Lanes) and is_static(value)]
    if len(arrays) < len(values) or sum(np.size(array) for array in arrays) > 8:
        return ""
    shown = [", ".join(f"{number:.6g}" for number in np.ravel(array)) for array in arrays]
    return f", but given is {' and '.join(shown)}"


def require_nonempty(name: str, what: str, value: Value) -> None:
    """A container has elements.

    Raises:
        ValueError: If it has none.
    """
    array = array_of(value)
    if np.shape(array)[1 if isinstance(value, Lanes) else 0] == 0:
        raise ValueError(f"`{name}`: {what} has size 0, but has to have an element at least")


def sized(function: Callable[..., Any], name: str, size: int, state: int) -> Callable[..., Any]:
    """A function of a solver that is refused if its value has another size than the state.

    Args:
        function: The function.
        name: Of the solver.
        size: Number of elements of the state.
        state: Which of its arguments the state is; only the message needs it.
    """

    def checked(*arguments: Any) -> Any:
        value = function(*arguments)
        if np.shape(value) != (size,):
            raise ValueError(
                f"`{name}`: its function returns {np.size(value)} numbers, but has to return {size}, as many as "
                f"its argument {state} has"
            )
        return value

    return checked
