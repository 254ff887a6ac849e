"""Warm starts of BlackJAX's NUTS, and runs of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float


PRIOR_DRAWS = 100.0  # that the given matrix counts as in window adaptation


def blackjax_matrix(matrix: Any) -> Any:
    """An inverse mass matrix in BlackJAX's form: an array, or what has `scale`, `basis` and `eigenvalues`."""
    if isinstance(matrix, np.ndarray):
        return jnp.asarray(matrix)
    from blackjax.mcmc.metrics import LowRankInverseMassMatrix

    return LowRankInverseMassMatrix(*map(jnp.asarray, (matrix.scale, matrix.basis, matrix.eigenvalues)))


def blackjax_start(
    positions: Float[np.ndarray, "chain dim"], matrix: Any, dense: Callable[[], np.ndarray], step_size: float
) -> dict[str, Any]:
    """What BlackJAX takes.

    Args:
        positions: Where chains start.
        matrix: The inverse mass matrix, or its diagonal, or one of low rank.
        dense: Gives it as an array; window adaptation takes no other.
        step_size: The first.

    Returns:
        `positions`, a row for each chain; `parameters` of `blackjax.nuts`, of which the step size is to be adapted; and
        `adaptation`, arguments of `blackjax.window_adaptation`, which goes on from the matrix.
    """
    array = matrix if isinstance(matrix, np.ndarray) else dense()
    return {
        "positions": jnp.asarray(positions),
        "parameters": {"step_size": step_size, "inverse_mass_matrix": blackjax_matrix(matrix)},
        "adaptation": {
            "initial_inverse_mass_matrix": jnp.asarray(array),
            "is_mass_matrix_diagonal": array.ndim == 1,
            "imm_shrinkage_to_previous": PRIOR_DRAWS,
            "initial_step_size": step_size,
        },
    }


def run_blackjax(
    density: Callable[[Any, Any], Any],
    data: Any,
    positions: Float[np.ndarray, "chain dim"],
    matrix: Any,
    step_size: float,
    key: Any,
    num_warmup: int,
    num_draws: int,
    target_acceptance: float,
) -> tuple[Float[np.ndarray, "chain draw dim"], dict[str, np.ndarray], int]:
    """Run NUTS with a fixed metric, after a warm-up that adapts the step size of each chain alone.

    Args:
        density: `density(position, data)` is the log density.
        data: Of it.
        positions: Where chains start.
        matrix: As of `blackjax_start`.
        step_size: The first.
        key: A key of JAX.
        num_warmup: Steps of warm-up.
        num_draws: Steps that are kept, of each chain.
        target_acceptance: Mean acceptance that the step size is adapted to.

    Returns:
        The positions, numbers of every draw by ArviZ's names, and how many gradients the warm-up took.
    """
    keys = jax.random.split(key, len(positions))
    arguments = keys, jnp.asarray(positions), blackjax_matrix(matrix), step_size, target_acceptance, data
    states, statistics, num_gradients = _run(density, num_warmup, num_draws, *arguments)
    return np.asarray(states), {name: np.asarray(values) for name, values in statistics.items()}, int(num_gradients)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _run(density, num_warmup, num_draws, keys, positions, matrix, step_size, target_acceptance, data):
    import blackjax

    def log_density(position):
        return density(position, data)

    def of_chain(key, position):
        state = blackjax.nuts.init(position, log_density)
        key_of_warmup, key_of_draws = jax.random.split(key)
        warmup = adapt_step_size(
            log_density, state, matrix, key_of_warmup, num_warmup, step_size=step_size, target=target_acceptance
        )
        state, adapted, num_steps = warmup
        kernel = blackjax.nuts.build_kernel()

        def step(state, own_key):
            state, info = kernel(own_key, state, log_density, adapted, matrix)
            statistics = {
                "lp": state.logdensity,
                "acceptance_rate": info.acceptance_rate,
                "diverging": info.is_divergent,
                "energy": info.energy,
                "n_steps": info.num_integration_steps,
                "tree_depth": info.num_trajectory_expansions,
                "step_size": adapted,
            }
            return state, (state.position, statistics)

        _, (draws, statistics) = jax.lax.scan(step, state, jax.random.split(key_of_draws, num_draws))
        return draws, statistics, num_steps

    draws, statistics, num_steps = jax.vmap(of_chain)(keys, positions)
    return draws, statistics, jnp.sum(num_steps)


def adapt_step_size(
    log_density: Callable[[Any], Any],
    state: Any,
    matrix: Any,
    key: Any,
    num_steps: int = 75,
    *,
    step_size: float = 1.0,
    target: float = 0.8,
) -> tuple[Any, Any, Any]:
    """Adapt the step size of BlackJAX's NUTS alone, by dual averaging, with a metric that stays.

    Traceable, and for one chain; `jax.vmap` is for several.

    Args:
        log_density: Of a position.
        state: From `blackjax.nuts.init`.
        matrix: The inverse mass matrix in BlackJAX's form.
        key: A key of JAX.
        num_steps: How many steps.
        step_size: The first.
        target: Mean acceptance to come to.

    Returns:
        The last state, the step size to go on with, and the number of gradients.
    """
    import blackjax
    from blackjax.adaptation.step_size import dual_averaging_adaptation

    kernel = blackjax.nuts.build_kernel()
    init, update, final = dual_averaging_adaptation(target)

    def step(carried, own_key):
        state, adaptation = carried
        state, info = kernel(own_key, state, log_density, jnp.exp(adaptation.log_step_size), matrix)
        return (state, update(adaptation, info.acceptance_rate)), info.num_integration_steps

    keys = jax.random.split(key, num_steps)
    (state, adaptation), taken = jax.lax.scan(step, (state, init(step_size)), keys)
    return state, final(adaptation) if num_steps else step_size, jnp.sum(taken)
