"""Series and continued fractions, iterated to convergence, with derivatives."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


_MAX_ITERATIONS = 100_000


def iterate(step, state, value, most: ArrayLike = _MAX_ITERATIONS):
    """Apply `state = step(n, state)`, n = 1, 2, ..., until `value(state)` stands still.

    Standing still leaves room for rounding, which never stops. The loop goes on for half as many iterations again:
    that takes the value to its last digits, and with it the derivative that forward differentiation carries along.

    Args:
        step: The next state from `n` and the state.
        state: Arrays to start from.
        value: What of a state has to converge.
        most: Iterations that are enough for each element; where rounding is amplified the value never stands still.
    """
    most = jnp.minimum(jnp.max(jax.lax.stop_gradient(most), initial=0), _MAX_ITERATIONS)
    tolerance = 10 * jnp.finfo(value(state).dtype).eps

    def unfinished(carry):
        n, last_change, _ = carry
        return (n < last_change * 1.5 + 8) & (n < most)

    def advance(carry):
        n, last_change, state = carry
        new_state = step(n, state)
        old, new = jax.lax.stop_gradient((value(state), value(new_state)))
        changed = jnp.any(jnp.abs(new - old) > tolerance * jnp.abs(new))
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
        active = [i for i, dx in enumerate(tangents) if not isinstance(dx, jax.custom_derivatives.SymbolicZero)]

        def along(direction):
            unit = tuple(jnp.full_like(p, direction[i]) for i, p in enumerate(primals))
            return jax.jvp(function, primals, unit)

        # One loop for all directions, the value carried once
        directions = jnp.eye(len(primals), dtype=primals[0].dtype)[jnp.array(active, int)]
        value, slopes = jax.vmap(along, out_axes=(None, 0))(directions)
        tangent = jax.tree.map(lambda slope: sum(slope[j] * tangents[i] for j, i in enumerate(active)), slopes)
        return value, tangent

    wrapped.defjvp(jvp, symbolic_zeros=True)
    return wrapped
