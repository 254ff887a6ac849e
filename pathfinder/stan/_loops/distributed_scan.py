"""`lax.scan` with loop distribution: only the recurrence runs one step after another.

Of the equations of a step, those that the carried values take no part in are computed before the scan: once if they are
the same in all steps, else for all steps at once. Those that the carried values do not need are computed after it, for
all steps at once, too. Sums over the steps are no recurrence.

Computing a value for all steps at once takes memory for all of them, where a scan takes that of one. Two limits keep it
in bounds: values that would be too large together stay in the scan, and so does what is computed from a large state,
which would have to be kept of every step.

Source: Allen and Kennedy (2001), Optimizing Compilers for Modern Architectures, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Literal

from pathfinder.stan._loops.step_graph import Operation, StepGraph, needed_for, numbers_in, value_in


MOST_COMPUTED_AHEAD = 2**24  # elements of one value for all steps together
LARGE_STATE = 64  # elements, from where on a state is not kept of every step

_ONCE, _EACH, _CARRIED = range(3)  # how often a value has to be computed


def distributed_scan(
    step: Callable[[Any, Any, Any], tuple[Any, Any]], start: Any, inputs: Any, length: int
) -> tuple[Any, Any]:
    """As `jax.lax.scan`.

    Args:
        step: From what is carried, the number of the step and its inputs, to what is carried on and the outputs.
        start: What is carried into the first step.
        inputs: With the steps along the first axis.
        length: Number of steps, at least one.
    """
    carried, structure = jax.tree_util.tree_flatten(start)
    carried = [jnp.asarray(value) for value in carried]
    rows, rows_structure = jax.tree_util.tree_flatten(inputs)
    rows = [jnp.arange(length), *map(jnp.asarray, rows)]

    def flat(state: Sequence[Any], entries: Sequence[Any]) -> Any:
        return step(
            jax.tree_util.tree_unflatten(structure, state),
            entries[0],
            jax.tree_util.tree_unflatten(rows_structure, entries[1:]),
        )

    entries = [jax.ShapeDtypeStruct(row.shape[1:], row.dtype) for row in rows]
    closed, shape = jax.make_jaxpr(flat, return_shape=True)(carried, entries)
    finals, outputs = _Distribution(closed, carried, rows, length).run()
    outputs = jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shape[1]), outputs)
    return jax.tree_util.tree_unflatten(structure, finals), outputs


class _Distribution:
    """Which values of a step are computed before, in and after the scan."""

    def __init__(self, closed: Any, carried: Sequence[Any], rows: Sequence[Any], length: int) -> None:
        self.graph, self.length = StepGraph(), length
        jaxpr = closed.jaxpr
        constants, ins, entries = (
            [self.graph.new(variable.aval) for variable in variables]
            for variables in (jaxpr.constvars, jaxpr.invars[: len(carried)], jaxpr.invars[len(carried) :])
        )
        known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *ins, *entries), strict=True))
        outs = self.graph.inline(jaxpr, known)
        self.index = entries[0]
        self.start = dict(zip(ins, carried, strict=True))
        self.outs, self.emitted = dict(zip(ins, outs, strict=False)), outs[len(ins) :]
        self.once: dict[int, Any] = dict(zip(constants, closed.consts, strict=True))
        self.once |= {before: self.start[before] for before, after in self.outs.items() if before == after}
        self.each: dict[int, Any] = dict(zip(entries, rows, strict=True))
        self.terms = self._sums()
        self.cycle = [number for number in ins if number not in self.once and number not in self.terms]

    def run(self) -> tuple[list[Any], list[Any]]:
        """What is carried out of the last step, and the outputs."""
        results = numbers_in([*self.emitted, *(term for terms in self.terms.values() for term in terms)])
        repeated, later = self._before(results | numbers_in(self.outs[number] for number in self.cycle))
        recurrence = self._recurrence([*repeated, *later])
        carried = {number for operation in recurrence for number in operation.outputs}.union(self.cycle)
        carried.difference_update(*(operation.outputs for operation in repeated))
        after = needed_for([*repeated, *(at for at in later if carried.isdisjoint(at.outputs))], results)
        wanted = results | {number for operation in after for number in operation.reads}
        finals = self._scan(recurrence, sorted(wanted & carried))
        self._compute_all(after, results)
        for number, terms in self.terms.items():
            finals[number] = self.start[number] + sum(map(self._total, terms))
        return [finals.get(number, start) for number, start in self.start.items()], list(map(self._all, self.emitted))

    def _sums(self) -> dict[int, list[Any]]:
        """Carried values that are only added to, with what each step adds."""
        users: dict[Any, list[Operation | None]] = {}
        for operation in self.graph.operations:
            for number in operation.reads:
                users.setdefault(number, []).append(operation)
        for number in (*self.outs.values(), *self.emitted):
            if isinstance(number, int):
                users.setdefault(number, []).append(None)
        found = {}
        for before, after in self.outs.items():
            at, terms = before, []
            while at != after and len(users.get(at, ())) == 1:
                operation = users[at][0]
                if operation is None or operation.equation.primitive.name != "add":
                    break
                terms.append(operation.inputs[1 - operation.inputs.index(at)])
                at = operation.outputs[0]
            if terms and at == after and len(users[at]) == 1:
                found[before] = terms
        return found

    def _before(self, wanted: set[int]) -> tuple[list[Operation], list[Operation]]:
        """Compute what the carried values take no part in.

        Args:
            wanted: What is needed at the end of each step.

        Returns:
            What only repeats a value, which is left to where it is used, and what the carried values take part in.
        """
        kinds = dict.fromkeys(self.once, _ONCE) | dict.fromkeys(self.each, _EACH)
        ahead: dict[int, list[Operation]] = {_ONCE: [], _EACH: [], _CARRIED: []}
        for operation in self.graph.operations:
            kind = max((kinds.get(number, _CARRIED) for number in operation.reads), default=_ONCE)
            size = sum(map(self.graph.size, operation.outputs))
            if operation.equation.effects or (kind == _EACH and size * self.length > MOST_COMPUTED_AHEAD):
                kind = _CARRIED
            kinds.update(dict.fromkeys(operation.outputs, kind))
            ahead[kind].append(operation)
        wanted = wanted | {number for operation in ahead[_CARRIED] for number in operation.reads}
        candidates = [*ahead[_ONCE], *ahead[_EACH]]
        repeated = [at for at in needed_for(candidates, wanted) if at.equation.primitive.name == "broadcast_in_dim"]
        wanted = wanted.difference(*(at.outputs for at in repeated)).union(*(at.reads for at in repeated))
        needed = set(needed_for(candidates, wanted))
        self._evaluate([at for at in ahead[_ONCE] if at in needed], self.once)
        each = [at for at in ahead[_EACH] if at in needed]
        entries = [at for at in each if self._is_entry(at)]
        self.each |= {at.outputs[0]: jnp.asarray(self.once[at.inputs[0]])[:, None] for at in entries}
        self._compute_all([at for at in each if at not in entries], wanted)
        return repeated, ahead[_CARRIED]

    def _is_entry(self, operation: Operation) -> bool:
        """Whether an array's entry for the present step is taken."""
        if operation.equation.primitive.name != "dynamic_slice" or operation.inputs[0] not in self.once:
            return False
        shape, sizes = self.graph.shapes[operation.inputs[0]].shape, operation.equation.params["slice_sizes"]
        first, *others = operation.inputs[1:]
        is_whole = all(isinstance(at, Literal) and at.val == 0 for at in others)
        return is_whole and first == self.index and shape[0] == self.length and sizes == (1, *shape[1:])

    def _recurrence(self, later: Sequence[Operation]) -> list[Operation]:
        """What is needed to carry on, and what is made of large states, which are not kept of every step."""
        wanted = numbers_in(self.outs[number] for number in self.cycle)
        large = {number for number in self.cycle if self.graph.size(number) > LARGE_STATE}
        for operation in later:
            if operation.equation.effects or not large.isdisjoint(operation.reads):
                wanted.update(operation.outputs)
                large.update(number for number in operation.outputs if self.graph.size(number) > LARGE_STATE)
        return needed_for(later, wanted)

    def _scan(self, recurrence: Sequence[Operation], emitted: Sequence[int]) -> dict[int, Any]:
        """The scan; what it gives out is known for each step then."""
        if not self.cycle and not recurrence:
            return {}
        read = numbers_in([*(n for at in recurrence for n in at.reads), *(self.outs[n] for n in self.cycle)])
        entries = sorted(number for number in read if number in self.each)

        def step(state: Sequence[Any], row: Sequence[Any]) -> Any:
            values = self.once | dict(zip(self.cycle, state, strict=True)) | dict(zip(entries, row, strict=True))
            self._evaluate(recurrence, values)
            return [value_in(self.outs[n], values) for n in self.cycle], [values[n] for n in emitted]

        rows = [self.each[number] for number in entries]
        state, outputs = jax.lax.scan(step, [self.start[n] for n in self.cycle], rows, self.length)
        self.each |= dict(zip(emitted, outputs, strict=True))
        return dict(zip(self.cycle, state, strict=True))

    def _evaluate(self, operations: Sequence[Operation], values: dict[int, Any]) -> None:
        for operation in operations:
            found = operation.function(*(value_in(at, values) for at in operation.inputs))
            values.update(zip(operation.outputs, found, strict=True))

    def _compute_all(self, operations: Sequence[Operation], wanted: set[int]) -> None:
        """Compute for all steps at once."""
        results = sorted(wanted & {number for operation in operations for number in operation.outputs})
        if not results:
            return
        read = numbers_in([self.index, *(number for operation in operations for number in operation.reads)])
        entries = sorted(number for number in read if number in self.each)

        def step(*row: Any) -> list[Any]:
            values = self.once | dict(zip(entries, row, strict=True))
            self._evaluate(operations, values)
            return [values[number] for number in results]

        self.each |= dict(zip(results, jax.vmap(step)(*(self.each[number] for number in entries)), strict=True))

    def _all(self, atom: Any) -> Any:
        """A value for all steps."""
        if isinstance(atom, int) and atom in self.each:
            return self.each[atom]
        value = jnp.asarray(value_in(atom, self.once))
        return jnp.broadcast_to(value, (self.length, *value.shape))

    def _total(self, atom: Any) -> Any:
        """The sum of a value over all steps."""
        if isinstance(atom, int) and atom in self.each:
            return jnp.sum(self.each[atom], axis=0)
        return self.length * value_in(atom, self.once)
