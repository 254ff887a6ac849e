"""What `print` and `reject` say: at once of values that are known, else whenever the compiled program runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import io_callback

from pathfinder.stan._expressions.alternatives import distributed
from pathfinder.stan._expressions.expressions import evaluate
from pathfinder.stan._state.run import Run
from pathfinder.stan._syntax.tree import Expression, Print, StringLiteral
from pathfinder.stan._values.lanes import array_of, entering, is_static, lift
from pathfinder.stan._values.value import Value


class Pending(NamedTuple):
    """A line for each lane, to be printed by the compiled program.

    Attributes:
        texts: The parts of the line; None for values.
        values: The values, with the axis of lanes if there are several.
        mask: Whether the line is printed, for each lane.
        lanes: Number of lanes; None where values have no such axis.
    """

    texts: tuple[str | None, ...]
    values: tuple[Any, ...]
    mask: Any
    lanes: int | None


def execute_print(run: Run, node: Print) -> None:
    """`print(...)`: at once while data are transformed, else noted for `emit`."""
    frame = run.machine.frame
    if run.print_line is None or frame.is_silent or not frame.context.size:
        return
    if run.on_data:
        run.machine.log.refuse_lanes("print")
        run.print_line(message(run, node.arguments))
        return
    texts = tuple(part.text if isinstance(part, StringLiteral) else None for part in node.arguments)
    values = [evaluate(run, part) for part in node.arguments if not isinstance(part, StringLiteral)]
    distributed(run, lambda given: _note(run, texts, given), values)


def _note(run: Run, texts: tuple[str | None, ...], values: Sequence[Value]) -> None:
    context, mask = run.machine.frame.context, run.machine.frame.mask
    held = [True if mask is None else mask, *values]
    if not context.is_root:
        held = [lift(value, context) for value in held]
    if run.machine.frame.ok is not True:
        held[0] = jnp.logical_and(held[0], run.machine.frame.ok)  # nothing comes after a rejection
    line = Pending(texts, tuple(held[1:]), held[0], None if context.is_root else context.size)
    run.machine.frame.printed = (*run.machine.frame.printed, line)


def emit(run: Run) -> None:
    """Let the program that is being traced print what is noted; to be called where the values were computed."""
    frame = run.machine.frame
    if run.print_line is None or not frame.printed:
        return
    lines = [(pending.texts, pending.lanes) for pending in frame.printed]
    arrays = jax.tree_util.tree_map(entering, [(pending.mask, pending.values) for pending in frame.printed])
    zero = jnp.zeros(())
    done = io_callback(partial(_print_lines, run.print_line, lines, zero.dtype), zero, jax.lax.stop_gradient(arrays))
    # JAX drops callbacks without a result from the loops of gradients
    frame.target = frame.target + done
    frame.printed = ()


def _print_lines(
    print_line: Callable[[str], None],
    lines: Sequence[tuple[Sequence[str | None], int | None]],
    dtype: Any,
    arrays: Sequence[tuple[Any, Sequence[Any]]],
) -> np.ndarray:
    for (texts, lanes), (mask, values) in zip(lines, arrays, strict=True):
        if lanes is None:
            if mask:
                print_line(_line(texts, values))
            continue
        for lane in np.flatnonzero(np.broadcast_to(mask, lanes)):
            print_line(_line(texts, jax.tree_util.tree_map(lambda leaf, lane=lane: leaf[lane], values)))
    return np.zeros((), dtype)


def _line(texts: Sequence[str | None], values: Sequence[Any]) -> str:
    rest = iter(values)
    return "".join(shown(next(rest)) if text is None else text for text in texts)


def message(run: Run, arguments: Sequence[Expression | StringLiteral]) -> str:
    """What `print` and `reject` say, in the first of the lanes; a value that depends on parameters is shown as `?`."""
    parts = []
    for argument in arguments:
        if isinstance(argument, StringLiteral):
            parts.append(argument.text)
            continue
        value = evaluate(run, argument)
        known = is_static(value) and run.machine.frame.context.size > 0
        parts.append(shown(_first(lift(value, run.machine.frame.context))) if known else "?")
    return "".join(parts)


def _first(value: Value) -> Any:
    return jax.tree_util.tree_map(lambda leaf: leaf[0], value)


def shown(value: Value) -> str:
    """A value as Stan prints it: six significant digits, arrays and matrices in brackets."""
    if isinstance(value, tuple):
        return f"({','.join(map(shown, value))})"
    array = np.asarray(array_of(value))
    if array.ndim:
        return f"[{','.join(map(shown, array))}]"
    if array.dtype.kind == "c":
        return f"({complex(array).real:g},{complex(array).imag:g})"
    return f"{array:g}" if array.dtype.kind == "f" else f"{int(array)}"
