"""A function of one lane for many, without a call of LAPACK on a CPU that could wait for ever."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.extend.core import jaxpr_as_fun

from pathfinder._arrays.devices import CPU_PATHS
from pathfinder._arrays.lapack import MOST_WORK, largest_work, split, waits
from pathfinder._arrays.namespace import namespace


def over_lanes(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.vmap(function)` that on a CPU takes as many lanes at a time as LAPACK can without waiting for threads.

    Matrices large enough to matter are factorized lane by lane. That is also faster than whole stacks of them: what is
    computed from a matrix stays in the processor's cache (docs/decisions/lapack-on-the-cpu.md).

    With arrays of NumPy the function gets whole stacks, with their leading axis.

    Args:
        function: Of arguments, or pytrees of them, without their leading axis.
    """

    def evaluate(*lanes):
        if namespace(lanes) is np:
            return function(*lanes)
        leaves, structure = jax.tree_util.tree_flatten(lanes)
        one = [jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype) for leaf in leaves]
        # How much work LAPACK has in a lane is seen in the trace alone: the function is anybody's.
        program, result = jax.make_jaxpr(lambda *parts: function(*structure.unflatten(parts)), return_shape=True)(*one)
        work, num_lanes = largest_work(program.jaxpr), leaves[0].shape[0]
        vectorized = jax.vmap(jaxpr_as_fun(program))
        if num_lanes * work < MOST_WORK or num_lanes == 1 and not waits(program.jaxpr):
            results = vectorized(*leaves)
        else:
            at_once = int(MOST_WORK // work) // CPU_PATHS * CPU_PATHS  # whole groups, so that sums round alike
            lane = jaxpr_as_fun(split(program) if waits(program.jaxpr) else program)

            def in_turn(*leaves):
                return jax.lax.map(lambda parts: lane(*parts), leaves, batch_size=at_once or None)

            results = jax.lax.platform_dependent(*leaves, cpu=in_turn, default=vectorized)
        return jax.tree_util.tree_structure(result).unflatten(results)

    return evaluate
