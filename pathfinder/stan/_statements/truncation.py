"""`y ~ normal(mu, sigma) T[lower, upper];`.

Source: Stan reference manual, "Truncated distributions". For integers the lower end is included. Containers are
statements side by side, one for each element of the broadcast of outcome and arguments: each has a normalizer of its
own, and one outcome outside of the bounds makes the density zero. (stanc3 multiplies the normalizer of all arguments
together with the size of the outcome, which is the same for scalar arguments only.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._expressions.calls import call_library
from pathfinder.stan._expressions.distribution_calls import density_value, distribution_value, univariate_value
from pathfinder.stan._expressions.expressions import evaluate
from pathfinder.stan._expressions.ragged import Ragged, summed
from pathfinder.stan._library.densities import DISTRIBUTIONS, Distribution
from pathfinder.stan._library.functions import FUNCTIONS, OPERATORS
from pathfinder.stan._library.numerics.logarithms import LOG_2, log_diff_exp
from pathfinder.stan._state.run import Run
from pathfinder.stan._syntax.tree import Expression, Sampling
from pathfinder.stan._types.types import REAL, Type, declared_type
from pathfinder.stan._values.contexts import Context, deepest
from pathfinder.stan._values.lanes import Lanes, array_of, context_of, lift, shape_of_value, wrap
from pathfinder.stan._values.value import Value


def truncated_value(run: Run, node: Sampling, types: Sequence[Type], values: Sequence[Value]) -> Value:
    """The log density of a truncated statement, summed over its elements; -inf if one of them is outside.

    Args:
        run: The evaluation.
        node: The statement.
        types: Of the outcome and the arguments.
        values: Of the same.
    """
    assert node.truncation is not None
    ends = (node.truncation.lower, node.truncation.upper)
    given = [end for end in ends if end is not None]
    bounds = [evaluate(run, end) for end in given]
    which = (ends[0] is not None, ends[1] is not None)
    if run.checked.definition(node) is not None or any(map(run.checked.has_cumulatives, given)):
        return _users_value(run, node, types, values, bounds, which)
    with run.at(node):
        distribution = _truncated(DISTRIBUTIONS[node.distribution.text], which)
        types = [*types, *map(run.type_of, given)]
        return density_value(run, distribution, node.distribution.text, "lpdf", types, [*values, *bounds])


def _truncated(distribution: Distribution, which: tuple[bool, bool]) -> Distribution:
    """A distribution with the ends of its truncation as further arguments, element by element."""
    untruncated, kind = distribution.log_density, distribution.arguments[0]
    assert untruncated is not None

    def log_density(outcome: Any, *others: Any) -> Any:
        count = len(others) - sum(which)
        arguments, (lower, upper) = others[:count], _both_ends(which, others[count:])
        below = lower - 1 if lower is not None and kind == "int" else lower
        mass = _log_mass(distribution, below, upper, outcome, arguments)
        # between equal ends of a continuous distribution, or so far out that it underflows, there is no mass
        is_possible = _inside(outcome, lower, upper) & (mass > -jnp.inf)
        return jnp.where(is_possible, untruncated(outcome, *arguments) - mass, -jnp.inf)

    return replace(distribution, log_density=log_density, arguments=(*distribution.arguments, *[kind] * sum(which)))


def _both_ends(which: tuple[bool, bool], bounds: Sequence[Any]) -> tuple[Any, Any]:
    """The lower and the upper end, None where there is none."""
    return (bounds[0] if which[0] else None), (bounds[-1] if which[1] else None)


def _inside(outcome: Any, lower: Any, upper: Any) -> Any:
    inside = jnp.ones(jnp.shape(outcome), bool)
    if lower is not None:
        inside &= outcome >= lower
    if upper is not None:
        inside &= outcome <= upper
    return inside


def _log_mass(distribution: Distribution, below: Any, upper: Any, outcome: Any, arguments: Sequence[Any]) -> Any:
    """Log probability of more than `below` and at most `upper`.

    A bound without end is none; its place is taken by the outcome, as functions at infinity have NaN derivatives.
    """
    if below is None and upper is None:
        return 0.0
    lcdf, lccdf = distribution.lcdf, distribution.lccdf
    assert lcdf is not None
    assert lccdf is not None
    no_lower = below is None or jnp.isinf(below) & (below < 0)
    no_upper = upper is None or jnp.isinf(upper) & (upper > 0)
    below = None if below is None else jnp.where(no_lower, outcome, below)
    upper = None if upper is None else jnp.where(no_upper, outcome, upper)
    if below is None:
        return jnp.where(no_upper, 0.0, lcdf(upper, *arguments))
    if upper is None:
        return jnp.where(no_lower, 0.0, lccdf(below, *arguments))
    low = lcdf(below, *arguments)
    # In the upper tail, where the probabilities of at most either end are next to one, those of more keep the digits.
    # What is not used is evaluated at `below` instead of `upper`: far out, derivatives may be NaN.
    in_upper_tail = (low > -LOG_2) & ~no_lower
    high = lcdf(jnp.where(in_upper_tail, below, upper), *arguments)
    more_than_below = lccdf(below, *arguments)
    more_than_upper = lccdf(jnp.where(in_upper_tail, upper, below), *arguments)
    both = log_diff_exp(jnp.where(in_upper_tail, more_than_below, high), jnp.where(in_upper_tail, more_than_upper, low))
    one_sided = jnp.where(no_upper, jnp.where(no_lower, 0.0, more_than_below), high)
    return jnp.where(no_lower | no_upper, one_sided, both)


def _users_value(
    run: Run,
    node: Sampling,
    types: Sequence[Type],
    values: Sequence[Value],
    bounds: Sequence[Value],
    which: tuple[bool, bool],
) -> Value:
    """A user's density of all elements together, less a normalizer for each.

    Arguments of the outcome's own sizes are taken as vectorised over; others are arguments of every element.
    """
    with run.at(node):
        outside_types = [*[REAL] * len(bounds), types[0]]
        outside = univariate_value(run, partial(_is_outside, which), outside_types, [*bounds, values[0]], name="")
        if any(_same_size(values[0], argument) for argument in values[1:]):
            mass = _sum_over_elements(run, values, lambda arguments: _users_log_mass(run, node, arguments, bounds))
        else:
            size = univariate_value(run, jnp.ones_like, [types[0]], [values[0]], name="")
            mass = _library(run, node, "*", _users_log_mass(run, node, values[1:], bounds), size)
        definition = run.checked.definition(node)
        if definition is not None:
            value = run.call_user(run, definition, list(values))
        else:
            value = distribution_value(run, node.distribution.text, "lupdf", types, values)
        is_possible = _library(
            run, node, "&&", _library(run, node, "==", outside, 0), _library(run, node, ">", mass, -np.inf)
        )
        return run.machine.conditions.select(is_possible, _library(run, node, "-", value, mass), -np.inf)


def _users_log_mass(run: Run, node: Sampling, arguments: Sequence[Value], bounds: Sequence[Value]) -> Value:
    """Log probability between the bounds by a user's distribution functions."""
    assert node.truncation is not None
    lower, upper = node.truncation.lower, node.truncation.upper

    def cumulative(ending: str, end: Expression, bound: Value) -> Value:
        definition = run.checked.cumulative(end, ending)
        if definition is None:
            kind = DISTRIBUTIONS[node.distribution.text].arguments[0]
        else:
            kind = declared_type(definition.arguments[0].type).base
        if end is lower and kind == "int":
            bound = _library(run, node, "-", bound, 1)
        if definition is not None:
            return run.call_user(run, definition, [bound, *arguments])
        types = [run.type_of(end), *map(run.type_of, node.arguments)]
        return distribution_value(run, node.distribution.text, ending[1:], types, [bound, *arguments])

    if lower is not None and upper is not None:
        ends = [cumulative("_lcdf", upper, bounds[1]), cumulative("_lcdf", lower, bounds[0])]
        return call_library(run, FUNCTIONS["log_diff_exp"], (REAL, REAL), ends, node)
    if lower is not None:
        return cumulative("_lccdf", lower, bounds[0])
    return 0 if upper is None else cumulative("_lcdf", upper, bounds[0])


def _library(run: Run, node: Sampling, operator: str, left: Value, right: Value) -> Value:
    return call_library(run, OPERATORS[operator], (REAL, REAL), [left, right], node)


def _sum_over_elements(run: Run, values: Sequence[Value], function: Callable[[list[Value]], Value]) -> Value:
    """Sum over the elements of an outcome of a function of their arguments, which are containers of one element."""
    machine, frame = run.machine, run.machine.frame
    outcome, *arguments = values
    if isinstance(outcome, Ragged):
        context = outcome.elements.context
        own = [
            Lanes(argument.elements.array[:, None], context) if isinstance(argument, Ragged) else argument
            for argument in arguments
        ]
        with machine.within(context):
            return summed(machine, replace(outcome, elements=Lanes(lift(function(own), context), context)))
    owner = deepest([context_of(value, frame.root) for value in values], frame.root)
    (size,) = _sizes(outcome)
    context = owner.iterations(np.full(owner.size, size))
    own = [
        Lanes(_of_all_lanes(argument, owner).reshape(-1, 1), context) if _same_size(outcome, argument) else argument
        for argument in arguments
    ]
    with machine.within(context):
        each = lift(function(own), context)
    return wrap(each.sum() if owner.is_root else each.reshape(owner.size, size).sum(axis=1), owner)


def _of_all_lanes(value: Value, context: Context) -> Any:
    return array_of(value) if context.is_root else lift(value, context)


def _same_size(outcome: Value, argument: Value) -> bool:
    """Whether both are containers of the same sizes."""
    if isinstance(outcome, Ragged) or isinstance(argument, Ragged):
        ragged = isinstance(outcome, Ragged) and isinstance(argument, Ragged)
        return ragged and outcome.elements.context is argument.elements.context
    return bool(_sizes(outcome)) and _sizes(outcome) == _sizes(argument)


def _sizes(value: Value) -> tuple[int, ...]:
    return () if isinstance(value, tuple) else shape_of_value(value)


def _is_outside(which: tuple[bool, bool], *arrays: Any) -> Any:
    return jnp.where(_inside(arrays[-1], *_both_ends(which, arrays[:-1])), 0.0, 1.0)
