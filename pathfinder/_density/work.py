"""How much a traced program computes, told from shapes alone."""

import math

from jax.extend.core import Jaxpr, JaxprEqn

from pathfinder._arrays.lapack import largest_work, programs_in


def work(jaxpr: Jaxpr) -> float:
    """About the number of floating-point operations; infinite if LAPACK has a part in it, or loops of unknown length.

    Args:
        jaxpr: The program, with those that it calls.
    """
    return math.inf if largest_work(jaxpr) > 0 else _operations(jaxpr)


def _operations(jaxpr: Jaxpr) -> float:
    return sum(_of_equation(eqn) for eqn in jaxpr.eqns)


def _of_equation(eqn: JaxprEqn) -> float:
    parts = [_operations(part) for value in eqn.params.values() for part in programs_in(value)]
    name = eqn.primitive.name
    if name == "while":
        return math.inf
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
