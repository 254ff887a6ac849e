"""Calls of LAPACK in a traced program, and how much work each of them is.

On a CPU, jaxlib cuts a call on a stack of matrices into tasks for XLA's pool of threads and waits until they are done.
It may do so on a thread of that very pool: as soon as every thread waits in such a call, nobody is left to do the
tasks, and the program stands still for ever (seen with jaxlib 0.10: two threads, two Cholesky factorizations that do
not depend on each other). A call whose work is below `MOST_WORK` is done at once by the thread that makes it.
"""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal


# Floating-point operations as jaxlib counts them (jaxlib/cpu/lapack_kernels.cc, `GetLapackBatchChunkSize`: 200,000). A
# quarter less, since counting too much costs a little time, and counting too little a program that never ends.
MOST_WORK = 150_000
# Upper bounds of jaxlib's counts for one matrix, in units of rows x columns x the larger of the two.
_FACTORS = {
    "cholesky": 1 / 3,
    "lu": 1.0,
    "qr": 6.0,
    "geqrf": 2.0,
    "geqp3": 2.0,
    "householder_product": 4.0,
    "eigh": 5.0,
    "svd": 10.0,
    "eig": 30.0,
    "schur": 30.0,
    "hessenberg": 10.0,
    "tridiagonal": 10.0,
}
_SOLVERS = {"triangular_solve": 1.0, "ormqr": 4.0, "tridiagonal_solve": 10.0}  # their last operand is what they work on


def matrices(eqn: JaxprEqn) -> tuple[tuple[int, ...], float] | None:
    """The leading axes of the stack that a call of LAPACK is about, and the work on one matrix; None of other calls."""
    name = eqn.primitive.name
    if name not in _FACTORS and name not in _SOLVERS:
        return None
    operands = _operands(eqn)
    if name in _FACTORS:
        shape = operands[0].shape
        work = _FACTORS[name] * max(shape[-2:]) * shape[-2] * shape[-1]
    else:
        shape = operands[-1].shape
        work = _SOLVERS[name] * operands[0].shape[-1] * shape[-2] * shape[-1]
    is_complex = jnp.issubdtype(operands[0].dtype, jnp.complexfloating)
    return shape[:-2], max(1.0, work) * (4.0 if is_complex else 1.0)


def _operands(eqn: JaxprEqn) -> list[jax.ShapeDtypeStruct]:
    avals: list[Any] = [variable.aval for variable in eqn.invars]
    return [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals]


def programs_in(value: Any) -> Iterator[Jaxpr]:
    """The programs in a parameter of an equation, such as the body of a loop."""
    if isinstance(value, Jaxpr):
        yield value
    elif isinstance(value, ClosedJaxpr):
        yield value.jaxpr
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from programs_in(part)


def _parameters(eqn: JaxprEqn, cpu_branch: dict[Any, int]) -> dict[str, Any]:
    """The parameters of an equation, of a choice between platforms only those about the CPU."""
    if eqn.primitive.name == "cond" and not isinstance(eqn.invars[0], Literal) and eqn.invars[0] in cpu_branch:
        return {"branches": (eqn.params["branches"][cpu_branch[eqn.invars[0]]],)}
    return eqn.params


def _cpu_branches(jaxpr: Jaxpr) -> dict[Any, int]:
    """The variables that choose between platforms, each with the place of the CPU's branch."""
    found = {}
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "platform_index":
            platforms = eqn.params["platforms"]
            named = [place for place, names in enumerate(platforms) if names is not None and "cpu" in names]
            # The default branch, for platforms that are not named, is the last one.
            found[eqn.outvars[0]] = named[0] if named else len(platforms) - 1
    return found


def largest_work(jaxpr: Jaxpr) -> float:
    """The work of the largest call of LAPACK that a program makes on a CPU, as jaxlib counts it.

    Args:
        jaxpr: The program, with those that it calls.
    """
    return _largest(jaxpr, single=True)


def waits(jaxpr: Jaxpr) -> bool:
    """Whether a program makes a call of LAPACK on a CPU that waits for other threads.

    Args:
        jaxpr: The program, with those that it calls.
    """
    return _largest(jaxpr, single=False) >= MOST_WORK


def _largest(jaxpr: Jaxpr, *, single: bool) -> float:
    """The work of the largest call; `single` matrices, for which nobody waits, count too if asked for."""
    most, cpu_branch = 0.0, _cpu_branches(jaxpr)
    for eqn in jaxpr.eqns:
        stack = matrices(eqn)
        if stack is not None:
            count = math.prod(stack[0])
            most = max(most, count * stack[1] if single or count > 1 else 0.0)
        else:
            parts = [part for value in _parameters(eqn, cpu_branch).values() for part in programs_in(value)]
            most = max([most, *(_largest(part, single=single) for part in parts)])
    return most


def split(program: ClosedJaxpr) -> ClosedJaxpr:
    """The same program with every call that waits cut into parts that do not, one after the other."""
    return ClosedJaxpr(_split(program.jaxpr), program.consts)


def _split(jaxpr: Jaxpr) -> Jaxpr:
    return jaxpr.replace(eqns=[_without_waiting(eqn) for eqn in jaxpr.eqns])


def _without_waiting(eqn: JaxprEqn) -> JaxprEqn:
    stack = matrices(eqn)
    if stack is None:
        if any(waits(part) for value in eqn.params.values() for part in programs_in(value)):
            return eqn.replace(
                params={
                    name: _replaced(value) if any(programs_in(value)) else value for name, value in eqn.params.items()
                }
            )
        return eqn
    leading, work = stack
    count = math.prod(leading)
    if count < 2 or count * work < MOST_WORK:
        return eqn
    in_parts = jax.jit(partial(_call_in_parts, eqn, leading, max(1, int(MOST_WORK // work))))
    (call,) = jax.make_jaxpr(in_parts)(*_operands(eqn)).eqns
    return call.replace(invars=eqn.invars, outvars=eqn.outvars)


def _replaced(value: Any) -> Any:
    """A parameter of an equation with `split` programs."""
    if isinstance(value, ClosedJaxpr):
        return split(value)
    if isinstance(value, Jaxpr):
        return _split(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_replaced, value))
    if isinstance(value, (tuple, list)):
        return type(value)(map(_replaced, value))
    return value


def _call_in_parts(eqn: JaxprEqn, leading: tuple[int, ...], size: int, *operands: jax.Array) -> Any:
    """A call on a stack of matrices as calls on `size` of them each."""
    count, axes = math.prod(leading), len(leading)
    flat = [operand.reshape((count, *operand.shape[axes:])) for operand in operands]
    results = jax.lax.map(lambda parts: eqn.primitive.bind(*parts, **eqn.params), flat, batch_size=size)
    return jax.tree_util.tree_map(lambda result: result.reshape((*leading, *result.shape[1:])), results)
