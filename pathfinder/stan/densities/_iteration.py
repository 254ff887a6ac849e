"""Series and continued fractions, iterated to convergence, with derivatives."""

import jax
import jax.numpy as jnp


_MAX_ITERATIONS = 100_000


def iterate(step, state, value):
    """Apply `state = step(n, state)`, n = 1, 2, ..., until `value(state)` stands still.

    The loop goes on for half as many iterations again: the derivative that forward differentiation carries along
    converges a little later than the value.
    """
    eps = jnp.finfo(value(state).dtype).eps

    def unfinished(carry):
        n, last_change, _ = carry
        return (n < last_change * 1.5 + 8) & (n < _MAX_ITERATIONS)

    def advance(carry):
        n, last_change, state = carry
        new_state = step(n, state)
        old, new = jax.lax.stop_gradient((value(state), value(new_state)))
        changed = jnp.any(jnp.abs(new - old) > eps * jnp.abs(new))
        return n + 1, jnp.where(changed, n, last_change), new_state

    return jax.lax.while_loop(unfinished, advance, (1, 0, state))[2]


def differentiable_by_forward_mode(function):
    """`function` of broadcast arrays, elementwise, with derivatives in all of them that also transpose.

    Reverse mode cannot pass a loop of unknown length. The partial derivatives are computed beside the value by forward
    mode, which can, and what is left to transpose is one product.
    """

    @jax.custom_jvp
    def wrapped(*arguments):
        return function(*arguments)

    def jvp(primals, tangents):
        value = wrapped(*primals)
        tangent = jax.tree.map(jnp.zeros_like, value)
        for i, dx in enumerate(tangents):
            if isinstance(dx, jax.custom_derivatives.SymbolicZero):
                continue
            unit = tuple(jnp.ones_like(p) if j == i else jnp.zeros_like(p) for j, p in enumerate(primals))
            _, slope = jax.jvp(function, primals, unit)
            tangent = jax.tree.map(lambda total, s, dx=dx: total + s * dx, tangent, slope)
        return value, tangent

    wrapped.defjvp(jvp, symbolic_zeros=True)
    return wrapped
