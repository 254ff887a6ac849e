"""What the trace of a program tells of how it runs: calls of Python, and how often its loops are expected to turn."""

from __future__ import annotations

import re
from typing import Any

import jax
from jax.extend.core import Jaxpr, JaxprEqn

from pathfinder._arrays.lapack import programs_in


_EXPECTED = "expected_turns_"


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


def expecting(turns: int) -> Any:
    """A context in which loops whose turns are counted only when they run are expected to take so many.

    It is kept in the names of the trace, and changes nothing of the program.
    """
    return jax.named_scope(f"{_EXPECTED}{turns}")


def expected_turns(eqn: JaxprEqn) -> int | None:
    """How many turns are expected of the loops in an equation; None if nobody has said so."""
    said = re.findall(rf"{_EXPECTED}(\d+)", str(eqn.source_info.name_stack))
    return int(said[-1]) if said else None
