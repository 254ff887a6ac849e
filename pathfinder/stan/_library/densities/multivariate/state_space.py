"""Sequences with a hidden state: the Gaussian dynamic linear model and the hidden Markov model."""

import jax
import jax.numpy as jnp

from pathfinder.gaussian._dense.log_density import dense_log_density
from pathfinder.gaussian._dense.spd import spd_solve
from pathfinder.stan._library.densities.distribution import Distribution, as_integers, as_reals


def gaussian_dlm_obs_lpdf(y, design, transition, noise, innovation, m0, c0):
    """The Kalman filter's log likelihood, column t of `y` being the observation at time t.

    Args:
        y: Observations [variable, time].
        design: F, [state, variable]: observations have mean F' state.
        transition: G, [state, state].
        noise: V, the covariance of the observations; a vector is its diagonal.
        innovation: W, the covariance of the state's innovations.
        m0: Mean of the state before the first time.
        c0: Covariance of it.
    """
    y, design, transition, noise, innovation, m0, c0 = as_reals(y, design, transition, noise, innovation, m0, c0)
    if noise.ndim == 1:
        noise = jnp.diag(noise)

    def step(carry, observed):
        mean, covariance = carry
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + innovation
        cross = covariance @ design
        predictive = design.T @ cross + noise
        predictive = 0.5 * (predictive + predictive.T)
        error = observed - design.T @ mean
        log_density = dense_log_density(error, predictive)
        solved = spd_solve(predictive, error)
        covariance = covariance - cross @ spd_solve(predictive, cross.T)
        return (mean + cross @ solved, 0.5 * (covariance + covariance.T)), log_density

    return jnp.sum(jax.lax.scan(step, (m0, c0), y.T)[1])


def _forward(log_omegas, transition, initial):
    """Filtered state probabilities [time, state], and the log density of every observation given those before."""

    def update(prior, log_omega):
        # Scaled by the largest density, which leaves the sums in range whatever the unit of the observations.
        largest = jax.lax.stop_gradient(jnp.max(log_omega))
        shift = jnp.where(jnp.isfinite(largest), largest, 0.0)
        joint = prior * jnp.exp(log_omega - shift)
        total = jnp.sum(joint)
        return joint / total, jnp.log(total) + shift

    def step(filtered, log_omega):
        filtered, log_density = update(filtered @ transition, log_omega)
        return filtered, (filtered, log_density)

    first, first_density = update(initial, log_omegas[:, 0])
    _, (rest, densities) = jax.lax.scan(step, first, log_omegas.T[1:])
    return jnp.concatenate([first[None], rest]), jnp.concatenate([first_density[None], densities])


def hmm_marginal(log_omegas, transition, initial):
    """Log density of the observations, the hidden states summed out.

    Args:
        log_omegas: Log density of observation t in state k, [state, time].
        transition: Probability of j after i, [i, j].
        initial: Probabilities of the first state.
    """
    log_omegas, transition, initial = as_reals(log_omegas, transition, initial)
    if log_omegas.shape[1] == 0:
        return jnp.zeros((), log_omegas.dtype)
    return jnp.sum(_forward(log_omegas, transition, initial)[1])


def hmm_hidden_state_prob(log_omegas, transition, initial):
    """Probability of state k at time t given all observations, [state, time]; arguments of `hmm_marginal`."""
    log_omegas, transition, initial = as_reals(log_omegas, transition, initial)
    filtered, _ = _forward(log_omegas, transition, initial)

    def step(smoothed, filtered):
        predicted = filtered @ transition
        ratio = jnp.where(predicted > 0, smoothed / jnp.where(predicted > 0, predicted, 1.0), 0.0)
        smoothed = filtered * (transition @ ratio)
        return smoothed, smoothed

    _, earlier = jax.lax.scan(step, filtered[-1], filtered[:-1], reverse=True)
    return jnp.concatenate([earlier, filtered[-1:]]).T


def hmm_latent_rng(key, log_omegas, transition, initial):
    """A draw of the hidden states 1..K given all observations; arguments of `hmm_marginal`."""
    log_omegas, transition, initial = as_reals(log_omegas, transition, initial)
    filtered, _ = _forward(log_omegas, transition, initial)
    keys = jax.random.split(key, filtered.shape[0])
    last = jax.random.categorical(keys[-1], jnp.log(filtered[-1]))

    def step(state, inputs):
        key, filtered = inputs
        state = jax.random.categorical(key, jnp.log(filtered) + jnp.log(transition[:, state]))
        return state, state

    _, earlier = jax.lax.scan(step, last, (keys[:-1], filtered[:-1]), reverse=True)
    return 1 + as_integers(jnp.concatenate([earlier, last[None]]))


DISTRIBUTIONS = {
    "gaussian_dlm_obs": Distribution(
        ("matrix", "matrix", "matrix", "matrix", "matrix", "vector", "matrix"), gaussian_dlm_obs_lpdf, "whole"
    ),
    "hmm_marginal": Distribution(("matrix", "matrix", "vector"), hmm_marginal, "whole"),
    "hmm_latent": Distribution(("ints", "matrix", "matrix", "vector"), kind="whole", rng=hmm_latent_rng),
}
