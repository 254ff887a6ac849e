"""One iteration of Hamiltonian Monte Carlo, of many chains in step.

Neal (2011), MCMC using Hamiltonian dynamics, section 5.2, in the coordinates in which a normal near the target is
standard: a position is `whitening.transform(noise)`, and the mass matrix is the identity.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Bool, Float, Int, UInt32

from pathfinder._arrays.namespace import Array, fori_loop, jit_unless_numpy, namespace, select
from pathfinder._arrays.streams import fold_in, normal, uniform
from pathfinder._density.either import Density
from pathfinder._normals.normal import Normal


class ChainStates(NamedTuple):
    """Where chains stand.

    Args:
        positions: On the unconstrained scale.
        log_p: Log densities; -inf where there is none.
        gradients: Of the log density; zero where there is none.
    """

    positions: Float[Array, "chain dim"]
    log_p: Float[Array, " chain"]
    gradients: Float[Array, "chain dim"]


class Moved(NamedTuple):
    """What an iteration came to.

    Args:
        states: Where the chains stand now.
        acceptance: Probability with which each chain accepted its trajectory.
        ended_outside: Whether it ended where the density has no value.
    """

    states: ChainStates
    acceptance: Float[Array, " chain"]
    ended_outside: Bool[Array, " chain"]


@jit_unless_numpy()
def states_at(positions: Float[Array, "chain dim"], density: Density) -> ChainStates:
    """The states of chains at given positions."""
    xp = namespace(positions)
    log_p, gradients = density.values_and_gradients(positions)  # type: ignore[arg-type]
    usable = xp.isfinite(log_p) & xp.isfinite(xp.vecdot(gradients, gradients))
    return ChainStates(positions, xp.where(usable, log_p, -xp.inf), xp.where(usable[..., None], gradients, 0.0))


@jit_unless_numpy()
def move(
    states: ChainStates,
    keys: UInt32[Array, "chain 2"],
    iteration: Int[Any, ""] | int,
    step_size: Float[Any, ""] | float,
    num_steps: Int[Any, ""] | int,
    whitening: Normal,
    density: Density,
) -> Moved:
    """Draw momenta, follow the trajectory of every chain by leapfrog steps, and accept or reject its end.

    A trajectory feels no force where the density has no value, or overflows, and one that ends there is rejected.

    Args:
        states: Where the chains stand.
        keys: Key of each chain.
        iteration: Number of the iteration, from 0.
        step_size: Of the leapfrog steps.
        num_steps: How many steps all chains take; at least 1.
        whitening: The normal in whose coordinates they go.
        density: Of the model; one data set.
    """
    xp = namespace(states)
    dtype, dim = states.positions.dtype, states.positions.shape[-1]
    step_size = xp.asarray(step_size, dtype)
    counter = xp.full(keys.shape[:1], 2 * iteration)
    start = normal(fold_in(keys, counter), dim, dtype)
    log_uniform = xp.log(0.5 * (uniform(fold_in(keys, counter + 1), 1, dtype)[..., 0] + 1.0))

    def step(_, carry):
        reached, noise, momentum = carry
        momentum = momentum + 0.5 * step_size * whitening.noise_gradient(reached.gradients)
        noise = noise + step_size * momentum
        reached = states_at(whitening.transform(noise), density)
        return reached, noise, momentum + 0.5 * step_size * whitening.noise_gradient(reached.gradients)

    reached, _, end = fori_loop(num_steps, step, (states, whitening.noise(states.positions), start))
    gain = reached.log_p - states.log_p + 0.5 * (xp.vecdot(start, start) - xp.vecdot(end, end))
    gain = xp.where(xp.isnan(gain), -xp.inf, gain)
    chosen = select(log_uniform < gain, reached, states)
    return Moved(chosen, xp.exp(xp.minimum(gain, 0.0)), reached.log_p == -xp.inf)
