"""How much a traced program computes, told from shapes alone."""

import math

from jax.extend.core import Jaxpr, JaxprEqn

from pathfinder._arrays.lapack import largest_work, matrices, programs_in
from pathfinder._arrays.traces import expected_turns


# A processor takes about a nanosecond for each operation of a log density that is evaluated with its gradient.
OPERATIONS_OF_STAGE = 1.5e10  # that the second refinement of a fit may take; chains may take twice as many
OPERATIONS_PER_LOOK = 1e8  # between two looks at the clock: a tenth of a second
# Of a loop whose turns are counted only when it runs, if it does not say what to expect: terms of a series, say.
USUAL_TURNS = 50


def work(jaxpr: Jaxpr) -> float:
    """About the number of floating-point operations; infinite if LAPACK has a part in it, or loops of unknown length.

    Args:
        jaxpr: The program, with those that it calls.
    """
    return math.inf if largest_work(jaxpr) > 0 else _operations(jaxpr, math.inf)


def operations(jaxpr: Jaxpr) -> float:
    """The same, but that LAPACK and loops of unknown length count, too.

    Args:
        jaxpr: The program, with those that it calls.
    """
    return _operations(jaxpr, USUAL_TURNS)


def _operations(jaxpr: Jaxpr, turns: float) -> float:
    return sum(_of_equation(eqn, turns) for eqn in jaxpr.eqns)


def _of_equation(eqn: JaxprEqn, turns: float) -> float:
    stack = matrices(eqn)
    if stack is not None:
        return math.prod(stack[0]) * stack[1]
    if turns < math.inf:
        turns = expected_turns(eqn) or turns
    parts = [_operations(part, turns) for value in eqn.params.values() for part in programs_in(value)]
    name = eqn.primitive.name
    if name == "while":
        return turns * sum(parts)
    if name == "scan":
        return eqn.params["length"] * sum(parts)
    if parts:
        return max(parts) if name == "cond" else sum(parts)
    sizes = [float(math.prod(getattr(variable.aval, "shape", ()))) for variable in (*eqn.invars, *eqn.outvars)]
    if name == "dot_general":
        (contracted, _), _ = eqn.params["dimension_numbers"]
        shape = eqn.invars[0].aval.shape  # type: ignore[attr-defined]
        return 2.0 * sizes[-1] * math.prod([shape[axis] for axis in contracted])
    return max(sizes)
