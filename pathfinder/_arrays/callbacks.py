"""Calls of Python from compiled programs."""

from jax.extend.core import Jaxpr

from pathfinder._arrays.lapack import programs_in


def calls_back(jaxpr: Jaxpr) -> bool:
    """Whether a program calls Python when it runs, to print or to compute.

    Args:
        jaxpr: The program, with those that it calls.
    """
    return any(
        eqn.primitive.name.endswith("callback")
        or any(calls_back(part) for value in eqn.params.values() for part in programs_in(value))
        for eqn in jaxpr.eqns
    )
