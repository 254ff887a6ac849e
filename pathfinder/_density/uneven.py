"""Densities of which some points take far longer than others, such as solutions of differential equations."""

from jax.extend.core import Jaxpr

from pathfinder._arrays.lapack import programs_in


# Operations in one turn of a loop. Those of special functions have up to 60 and few turns; an adaptive step of a
# Runge-Kutta method has 200 with the smallest of equations.
HEAVY = 200


def is_uneven(jaxpr: Jaxpr) -> bool:
    """Whether a program has a heavy loop whose turns are counted only when it runs.

    All points of a group then take as long as the slowest.

    Args:
        jaxpr: The program, with those that it calls.
    """
    for equation in jaxpr.eqns:
        if equation.primitive.name == "while" and _num_operations(equation.params["body_jaxpr"].jaxpr) >= HEAVY:
            return True
        if any(is_uneven(part) for value in equation.params.values() for part in programs_in(value)):
            return True
    return False


def _num_operations(jaxpr: Jaxpr) -> int:
    return sum(
        1 + sum(_num_operations(part) for value in equation.params.values() for part in programs_in(value))
        for equation in jaxpr.eqns
    )
