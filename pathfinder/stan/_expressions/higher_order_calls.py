"""Functions of the library that take a function of the user: solvers, `reduce_sum`, `map_rect`.

Source: Stan functions reference, "Higher-order functions". Solvers see the user's function as a JAX function of arrays;
`reduce_sum` and `map_rect` only divide work in Stan, and are plain calls here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._expressions.solver_checks import (
    INTEGRAL,
    ODE,
    ROOT,
    require_arguments,
    require_nonempty,
    require_settings,
    require_solution,
    sized,
)
from pathfinder.stan._library.solvers import algebraic, ode
from pathfinder.stan._library.solvers.quadrature import integrate_1d
from pathfinder.stan._state.errors import StanEvaluationError, UntraceableError
from pathfinder.stan._state.machine import Machine
from pathfinder.stan._state.run import Run, as_type
from pathfinder.stan._syntax.tree import Call, Expression, FunctionDefinition, Variable
from pathfinder.stan._types.types import Type, declared_type
from pathfinder.stan._values.contexts import deepest
from pathfinder.stan._values.indices import At
from pathfinder.stan._values.lanes import Lanes, array_of, context_of, is_static, lift, over_lanes
from pathfinder.stan._values.reading import read
from pathfinder.stan._values.value import Value


Evaluate = Callable[[Run, Expression], Value]


def jax_function(run: Run, definition: FunctionDefinition) -> Callable[..., Any]:
    """A user's function as a function of arrays."""
    types = [declared_type(argument.type) for argument in definition.arguments]

    def evaluate(*arrays: Any) -> Any:
        inner = Run(run.checked, Machine(), run.call_user, {}, loops=run.loops)
        values = [as_type(type_, array) for type_, array in zip(types, arrays, strict=True)]
        value = run.call_user(inner, definition, values)
        return value if inner.machine.frame.ok is True else jnp.where(inner.machine.frame.ok, value, jnp.nan)

    return evaluate


def _passed(run: Run, node: Call) -> FunctionDefinition:
    function = node.arguments[0]
    assert isinstance(function, Variable)
    definition = run.checked.definition(function)
    if definition is None:
        raise UntraceableError(
            f"`{function.name}` of the library cannot be passed here; wrap it in a function of your own", function.span
        )
    return definition


def _apply(run: Run, node: Call, solve: Callable[..., Any], values: Sequence[Value]) -> Value:
    """Call a solver with values of which those known from the data stay what they are."""
    root = run.machine.frame.root
    fixed = {i: v for i, v in enumerate(values) if is_static(v) and context_of(v, root).is_root}
    varying = [i for i in range(len(values)) if i not in fixed]

    def function(*arrays: Any) -> Any:
        given = fixed | dict(zip(varying, arrays, strict=True))
        return solve(*(given[i] for i in range(len(values))))

    context = deepest([context_of(value, root) for value in values], root)
    with run.at(node):
        return over_lanes(function, [values[i] for i in varying], context)


def _number(value: Value, node: Expression) -> float:
    array = array_of(value)
    if not is_static(array) or np.ndim(array):
        raise UntraceableError("a tolerance has to be a number that is known from the data", node.span)
    return float(array)


def _tolerances(run: Run, node: Call, values: Sequence[Value], nodes: Sequence[Expression]) -> tuple[Any, ...]:
    """Relative and absolute tolerance and the limit on steps of an ODE solver, if they are given."""
    if not values:
        return ()
    rel_tol, abs_tol, steps = (_number(value, at) for value, at in zip(values, nodes, strict=True))
    if not require_settings(run, "ode", node.function.text, (rel_tol, abs_tol, steps), nodes):
        return ()
    return rel_tol, abs_tol, int(steps)


def _ode_call(solver: str, tolerances: int) -> Callable[..., Any]:
    """`ode_<solver>(f, y0, t0, ts, [tolerances,] ...)`."""

    def call(run: Run, node: Call, evaluate: Evaluate) -> Value:
        rhs = jax_function(run, _passed(run, node))
        y0, t0, ts, *rest = (evaluate(run, argument) for argument in node.arguments[1:])
        settings = _tolerances(run, node, rest[:tolerances], node.arguments[4 : 4 + tolerances])
        return _solve_ode(run, node, solver, rhs, y0, t0, ts, settings, rest[tolerances:])

    return call


def _ode_adjoint(run: Run, node: Call, evaluate: Evaluate) -> Value:
    """`ode_adjoint_tol_ctl`: the method and the tolerances of the forward solution are used for all of it."""
    rhs = jax_function(run, _passed(run, node))
    y0, t0, ts, rel, absolute, *rest = (evaluate(run, argument) for argument in node.arguments[1:])
    for value, at in ((absolute, 5), (rest[1], 7)):
        _require_per_state(node, value, y0, node.arguments[at])
    numbers = (rel, absolute, *rest[:9])
    for position in (0, 2, *range(4, 11)):
        _number(numbers[position], node.arguments[4 + position])
    settings: tuple[Any, ...] = ()
    solver = "bdf"
    if require_settings(run, "adjoint", node.function.text, numbers, node.arguments[4:]):
        settings = (float(array_of(rel)), float(np.min(array_of(absolute))), int(array_of(rest[4])))
        solver = "adams" if array_of(rest[7]) == 1 else "bdf"
    return _solve_ode(run, node, solver, rhs, y0, t0, ts, settings, rest[9:])


def _require_per_state(node: Call, tolerances: Value, y0: Value, at: Expression) -> None:
    """There is an absolute tolerance, known from the data, for each component of the state."""
    size = np.shape(array_of(y0))[-1]
    if not is_static(tolerances):
        raise UntraceableError("a tolerance has to be a number that is known from the data", at.span)
    found = np.shape(array_of(tolerances))[-1]
    if found != size:
        raise StanEvaluationError(
            f"`{node.function.text}`: these tolerances have size {found}, but the initial state has size {size}",
            at.span,
        )


def _solve_ode(
    run: Run,
    node: Call,
    solver: str,
    rhs: Callable[..., Any],
    y0: Value,
    t0: Value,
    ts: Value,
    settings: tuple[Any, ...],
    args: Sequence[Value],
) -> Value:
    y0, t0, ts = as_type(Type("vector"), y0), as_type(Type("real"), t0), as_type(Type("real"), ts)
    with run.at(node):
        require_nonempty(node.function.text, "the initial state", y0)
        require_nonempty(node.function.text, "the array of times", ts)
        given = {"initial state": y0, "initial time": t0, "times": ts, "arguments": tuple(args)}
        require_arguments(run, node, node.function.text, ODE, given)
    rhs = sized(rhs, node.function.text, np.shape(array_of(y0))[-1], state=2)

    def solve(y0: Any, t0: Any, ts: Any, *args: Any) -> Any:
        return ode.solve_ode(solver, rhs, y0, t0, ts, *settings, args=args)

    return require_solution(run, node, node.function.text, _apply(run, node, solve, [y0, t0, ts, *args]))


def _old_ode(solver: str) -> Callable[..., Any]:
    """`integrate_ode_<solver>(f, y0, t0, ts, theta, x_r, x_i, [rel_tol, abs_tol, max_num_steps])`."""

    def call(run: Run, node: Call, evaluate: Evaluate) -> Value:
        rhs = jax_function(run, _passed(run, node))
        y0, t0, ts, theta, x_r, x_i, *given = (evaluate(run, argument) for argument in node.arguments[1:])
        settings = _tolerances(run, node, given, node.arguments[7:])
        return _solve_ode(run, node, solver, rhs, y0, t0, ts, settings, [theta, x_r, x_i])

    return call


def _root(method: str, tolerances: int) -> Callable[..., Any]:
    """`solve_<method>(f, y_guess, [tolerances,] ...)`."""

    def call(run: Run, node: Call, evaluate: Evaluate) -> Value:
        function = jax_function(run, _passed(run, node))
        guess, *rest = (evaluate(run, argument) for argument in node.arguments[1:])
        given = [_number(value, at) for value, at in zip(rest[:tolerances], node.arguments[2:], strict=False)]
        if not require_settings(run, "root", node.function.text, given, node.arguments[2:]):
            given = []
        return _solve_root(run, node, method, function, guess, given, rest[tolerances:])

    return call


def _old_root(method: str) -> Callable[..., Any]:
    """`algebra_solver(f, y_guess, theta, x_r, x_i, [rel_tol, f_tol, max_steps])`."""

    def call(run: Run, node: Call, evaluate: Evaluate) -> Value:
        function = jax_function(run, _passed(run, node))
        guess, theta, x_r, x_i, *rest = (evaluate(run, argument) for argument in node.arguments[1:])
        given = [_number(value, at) for value, at in zip(rest, node.arguments[5:], strict=True)]
        if not require_settings(run, "root", node.function.text, given, node.arguments[5:]):
            given = []
        return _solve_root(run, node, method, function, guess, given, [theta, x_r, x_i])

    return call


def _solve_root(
    run: Run,
    node: Call,
    method: str,
    function: Callable[..., Any],
    guess: Value,
    tolerances: Sequence[float],
    args: Sequence[Value],
) -> Value:
    limits = [*tolerances[:2], *map(int, tolerances[2:])]
    guess = as_type(Type("vector"), guess)
    with run.at(node):
        require_nonempty(node.function.text, "the initial guess", guess)
        require_arguments(run, node, node.function.text, ROOT, {"initial guess": guess, "arguments": tuple(args)})
    function = sized(function, node.function.text, np.shape(array_of(guess))[-1], state=1)

    def solve(guess: Any, *args: Any) -> Any:
        return algebraic.solve_algebraic(method, function, guess, *limits, args=args)

    return require_solution(run, node, node.function.text, _apply(run, node, solve, [guess, *args]))


def _integrate_1d(variadic: bool, tolerances: int) -> Callable[..., Any]:
    """`integrate_1d(f, a, b, theta, x_r, x_i, [rel_tol])`, or with variadic arguments."""

    def call(run: Run, node: Call, evaluate: Evaluate) -> Value:
        function = jax_function(run, _passed(run, node))
        lower, upper, *rest = (evaluate(run, argument) for argument in node.arguments[1:])
        args, first = (rest[tolerances:], 3) if variadic else (rest[:3], 6)
        settings = rest[:tolerances] if variadic else rest[3:]
        numbers = [_number(value, at) for value, at in zip(settings, node.arguments[first:], strict=False)]
        are_possible = require_settings(run, "integral", node.function.text, numbers, node.arguments[first:])
        rel_tol = numbers[0] if numbers and are_possible else None
        lower, upper = (as_type(Type("real"), limit) for limit in (lower, upper))
        require_arguments(run, node, node.function.text, INTEGRAL, {"lower limit": lower, "upper limit": upper})

        def solve(lower: Any, upper: Any, *args: Any) -> Any:
            return integrate_1d(function, lower, upper, rel_tol, args)

        return require_solution(run, node, node.function.text, _apply(run, node, solve, [lower, upper, *args]))

    return call


def _reduce_sum(run: Run, node: Call, evaluate: Evaluate) -> Value:
    """`reduce_sum(f, x, grainsize, ...)`: one call on all of `x`."""
    sliced, _, *rest = (evaluate(run, argument) for argument in node.arguments[1:])
    first = sliced[0] if isinstance(sliced, tuple) else sliced
    size = np.shape(array_of(first))[1 if isinstance(first, Lanes) else 0]
    if not size:
        return np.float64(0.0)
    return run.call_user(run, _passed(run, node), [sliced, 1, size, *rest])


def _map_rect(run: Run, node: Call, evaluate: Evaluate) -> Value:
    """`map_rect(f, phi, theta, x_r, x_i)`: all shards side by side, their results one after another."""
    phi, theta, x_r, x_i = (evaluate(run, argument) for argument in node.arguments[1:])
    machine, frame = run.machine, run.machine.frame
    outer = frame.context
    count = np.shape(array_of(theta))[1 if isinstance(theta, Lanes) else 0]
    shards = outer.iterations(np.full(outer.size, count))
    index = Lanes(np.tile(np.arange(1, count + 1), outer.size), shards)
    with machine.within(shards):
        parts = [read(value, [At(index)], frame.root) for value in (theta, x_r, x_i)]
        result = lift(run.call_user(run, _passed(run, node), [phi, *parts]), shards)
    joined = result.reshape(outer.size, -1)
    return joined[0] if outer.is_root else Lanes(joined, outer)


HIGHER_ORDER: dict[str, Callable[[Run, Call, Evaluate], Value]] = {
    **{f"ode_{solver}": _ode_call(solver, 0) for solver in ode.ODE_METHODS},
    **{f"ode_{solver}_tol": _ode_call(solver, 3) for solver in ode.ODE_METHODS},
    "ode_adjoint_tol_ctl": _ode_adjoint,
    **{f"integrate_ode_{solver}": _old_ode(solver) for solver in ("rk45", "bdf", "adams")},
    "integrate_ode": _old_ode("rk45"),
    "algebra_solver": _old_root("powell"),
    "algebra_solver_newton": _old_root("newton"),
    **{f"solve_{method}": _root(method, 0) for method in ("newton", "powell")},
    **{f"solve_{method}_tol": _root(method, 3) for method in ("newton", "powell")},
    "integrate_1d": _integrate_1d(variadic=False, tolerances=0),
    **{f"integrate_1d_{rule}": _integrate_1d(True, 0) for rule in ("double_exponential", "gauss_kronrod")},
    **{f"integrate_1d_{rule}_tol": _integrate_1d(True, 3) for rule in ("double_exponential", "gauss_kronrod")},
    "reduce_sum": _reduce_sum,
    "reduce_sum_static": _reduce_sum,
    "map_rect": _map_rect,
}
