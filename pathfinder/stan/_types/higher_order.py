"""Functions of the library that take a function, with what they ask of it.

Source: Stan functions reference, "Higher-order functions", and `stanc --dump-stan-math-signatures`. `reduce_sum` and
`reduce_sum_static` are not here, since the type of what they slice is free.
"""

from dataclasses import dataclass

from pathfinder.stan._types.signature import Signature, row, rows


@dataclass(frozen=True)
class HigherOrder:
    """What a function expects as its first argument, and behind it.

    Attributes:
        function: Leading arguments and result of the function that is passed; `data` marks those that may be declared
            so in its head.
        calls: What may stand behind the function.
        variadic: Further arguments of the function that is passed stand at the end of the call.
    """

    function: Signature
    calls: tuple[Signature, ...]
    variadic: bool = True


_TOLERANCES = "data real, data real, data int"
_ADJOINT = (
    "data real, data vector, data real, data vector, data real, data real, data int, data int, data int, data int, "
    "data int"
)
_INITIAL = "vector, real, array[] real"
_SOLVERS = ("rk45", "bdf", "adams", "ckrk")
REDUCE_SUM = ("reduce_sum", "reduce_sum_static")


def _solver(function: str, call: str) -> HigherOrder:
    return HigherOrder(row(function), rows(call))


def _fixed(function: str, arguments: str, result: str, *, optional: str) -> HigherOrder:
    """The older functions: exactly these arguments, and optionally tolerances."""
    calls = f"({arguments}) => {result}" + (f"\n({arguments}, {optional}) => {result}" if optional else "")
    return HigherOrder(row(function), rows(calls), variadic=False)


_OLD_ODE = "(real, array[] real, array[] real, data array[] real, data array[] int) => array[] real"
_OLD_ODE_ARGUMENTS = "array[] real, real, array[] real, array[] real, data array[] real, data array[] int"
_OLD_ODE_RESULT = "array[,] real"
_OLD_EQUATION = "(vector, vector, data array[] real, data array[] int) => vector"
_OLD_EQUATION_ARGUMENTS = "vector, vector, data array[] real, data array[] int"
_THREE = "data real, data real, data real"

HIGHER_ORDER = {
    **{f"ode_{name}": _solver("(real, vector) => vector", f"({_INITIAL}) => array[] vector") for name in _SOLVERS},
    **{
        f"ode_{name}_tol": _solver("(real, vector) => vector", f"({_INITIAL}, {_TOLERANCES}) => array[] vector")
        for name in _SOLVERS
    },
    "ode_adjoint_tol_ctl": _solver("(real, vector) => vector", f"({_INITIAL}, {_ADJOINT}) => array[] vector"),
    "dae": _solver(
        "(real, vector, vector) => vector", "(vector, vector, data real, data array[] real) => array[] vector"
    ),
    "dae_tol": _solver(
        "(real, vector, vector) => vector",
        f"(vector, vector, data real, data array[] real, {_TOLERANCES}) => array[] vector",
    ),
    **{f"solve_{name}": _solver("(vector) => vector", "(vector) => vector") for name in ("newton", "powell")},
    **{
        f"solve_{name}_tol": _solver("(vector) => vector", f"(vector, {_TOLERANCES}) => vector")
        for name in ("newton", "powell")
    },
    **{
        f"integrate_1d_{name}": _solver("(real, real) => real", "(real, real) => real")
        for name in ("double_exponential", "gauss_kronrod")
    },
    **{
        f"integrate_1d_{name}_tol": _solver("(real, real) => real", f"(real, real, {_TOLERANCES}) => real")
        for name in ("double_exponential", "gauss_kronrod")
    },
    "integrate_1d": _fixed(
        "(real, real, array[] real, data array[] real, data array[] int) => real",
        "real, real, array[] real, data array[] real, data array[] int",
        "real",
        optional="data real",
    ),
    "integrate_ode": _fixed(_OLD_ODE, _OLD_ODE_ARGUMENTS, _OLD_ODE_RESULT, optional=""),
    **{
        f"integrate_ode_{name}": _fixed(_OLD_ODE, _OLD_ODE_ARGUMENTS, _OLD_ODE_RESULT, optional=_THREE)
        for name in ("rk45", "bdf", "adams")
    },
    **{
        name: _fixed(_OLD_EQUATION, _OLD_EQUATION_ARGUMENTS, "vector", optional=_THREE)
        for name in ("algebra_solver", "algebra_solver_newton")
    },
    "map_rect": _fixed(
        _OLD_EQUATION, "vector, array[] vector, data array[,] real, data array[,] int", "vector", optional=""
    ),
}
