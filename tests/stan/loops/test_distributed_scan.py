"""Loop distribution changes how a scan is computed, and nothing of what it gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._loops.distributed_scan import distributed_scan


T = 7
TABLE = jnp.cos(jnp.arange(T * 2.0)).reshape(T, 2)


def forward(parameters):
    """Hidden Markov model: the emissions and the logs of the transitions are no part of the recurrence."""
    logits, means = parameters

    def step(carry, number, y):
        state, total = carry
        log_transition = jnp.log(jax.nn.softmax(logits))
        emission = -jnp.square(y - means)
        state = jax.nn.logsumexp(state[:, None] + log_transition, axis=0) + emission
        return (state, total + jnp.sum(jnp.exp(emission))), jnp.cos(state)

    return step, (means, jnp.asarray(0.5)), TABLE[:, 0]


def sums(parameters):
    """Sums over the steps, of what is carried, of inputs and of constants, and what nobody needs."""
    logits, means = parameters

    def step(carry, number, y):
        state, total, count, same, unused = carry
        state = jnp.tanh(state * logits[0, 0] + y)
        total = total + state[0]
        return (state, total + jnp.sum(y) + means[1], count + 2, same, unused + state), (state * same, 3.0, number)

    return step, (means, jnp.asarray(0.0), jnp.asarray(1), logits[1, 1], means), TABLE


def large_state(parameters):
    """An array that grows step by step, of which each step reads a part."""
    logits, means = parameters

    def step(carry, number, y):
        seen, last = carry
        value = jnp.sin(seen[number // 2] + jnp.sum(seen * means[0]) + y * last)
        return (seen.at[number + 1].set(value), y), (value * 2, seen[3])

    return step, (jnp.zeros(100).at[0].set(means[1]), logits[0, 0]), TABLE[:, 1]


def entries(parameters):
    """What is carried into a step may be what the step before took in, and entries of arrays may be taken."""
    logits, means = parameters
    weights = means[0] * TABLE

    def step(carry, number, y):
        last, state = carry
        row = jax.lax.dynamic_slice(weights, (number, 0), (1, 2))[0]
        return (y, state * jnp.sum(row) + last + weights[number, 1]), state

    return step, (logits[0, 1], logits[0, 0]), TABLE[:, 0]


def sequence(parameters):
    """The numbers of a step that are carried on exchange their places."""
    logits, means = parameters

    def step(carry, number, y):
        left, right, fixed = carry
        return (right, left + y, jnp.asarray(2.0)), left - right + fixed

    return step, (means[0], means[1], logits[1, 0]), TABLE[:, 0]


def cumulative(parameters):
    """A sum of which every step gives what there is so far, and one that is needed in each."""
    logits, means = parameters

    def step(carry, number, y):
        total, seen = carry
        total = total + means[0] * y
        return (total, seen + jnp.sin(y * means[1])), (total, seen * 2)

    return step, (logits[0, 0], logits[0, 1]), TABLE[:, 0]


CASES = [cumulative, forward, sums, large_state, entries, sequence]
PARAMETERS = (jnp.array([[0.3, -0.2], [0.5, 0.1]]), jnp.array([0.4, -0.8]))


def plain(step, start, inputs, length):
    return jax.lax.scan(lambda carry, given: step(carry, *given), start, (jnp.arange(length), inputs), length)


def result(case, scan, parameters):
    step, start, inputs = case(parameters)
    return scan(step, start, inputs, T)


def value(case, scan, parameters):
    """A number that everything counts in which comes out of the scan."""
    found = jax.tree_util.tree_leaves(result(case, scan, parameters))
    return sum(jnp.sum(jnp.sin(leaf) * (1 + 0.1 * jnp.arange(leaf.size)).reshape(leaf.shape)) for leaf in found)


@pytest.mark.parametrize("case", CASES)
def test_results_and_derivatives_are_those_of_the_scan(case):
    found, expected = jax.jit(lambda p: [result(case, scan, p) for scan in (distributed_scan, plain)])(PARAMETERS)
    jax.tree_util.tree_map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), found, expected)
    gradients = jax.jit(
        lambda p: [jax.grad(lambda p, scan=scan: value(case, scan, p))(p) for scan in (distributed_scan, plain)]
    )(PARAMETERS)
    jax.tree_util.tree_map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), *gradients)


@pytest.mark.parametrize("case", CASES)
def test_nested_and_mapped(case):
    def outer(scan):
        def step(carry, number, y):
            logits, means = PARAMETERS
            return carry + value(case, scan, (logits * y[0], means + 0.01 * carry)), y

        return distributed_scan(step, jnp.asarray(0.1), TABLE, T)[0]

    np.testing.assert_allclose(*jax.jit(lambda: [outer(scan) for scan in (distributed_scan, plain)])(), rtol=1e-10)
    scaled = jax.tree_util.tree_map(lambda leaf: jnp.stack([leaf, 2 * leaf]), PARAMETERS)
    found = jax.jit(jax.vmap(lambda p: [value(case, scan, p) for scan in (distributed_scan, plain)]))(scaled)
    np.testing.assert_allclose(*found, rtol=1e-12)


def primitives(function, *arguments):
    """Names of those in the bodies of scans."""
    closed = jax.make_jaxpr(function)(*arguments)
    bodies = [equation.params["jaxpr"] for equation in closed.eqns if equation.primitive.name == "scan"]
    return [equation.primitive.name for body in bodies for equation in body.eqns]


def test_only_the_recurrence_is_left():
    inside = primitives(lambda p: value(forward, distributed_scan, p), PARAMETERS)
    assert inside.count("exp") == 1  # that of the sum over states
    assert inside.count("log") == 1
    assert not {"square", "integer_pow", "cos", "reshape"}.intersection(inside)
    assert not primitives(lambda p: value(entries, distributed_scan, p), PARAMETERS).count("dynamic_slice")


def test_large_states_are_not_kept_of_every_step():
    def shapes(closed):
        return [variable.aval.shape for equation in closed.eqns for variable in equation.outvars]

    found = jax.make_jaxpr(lambda p: result(large_state, distributed_scan, p))(PARAMETERS)
    assert (T, 100) not in shapes(found)


def test_steps_without_a_recurrence_need_no_scan():
    def run(means):
        def step(carry, number, y):
            return carry + jnp.sum(y * means), y

        return distributed_scan(step, jnp.asarray(0.0), TABLE, T)[0]

    assert not [e for e in jax.make_jaxpr(run)(PARAMETERS[1]).eqns if e.primitive.name == "scan"]
    np.testing.assert_allclose(run(PARAMETERS[1]), np.sum(np.asarray(TABLE @ PARAMETERS[1])))
