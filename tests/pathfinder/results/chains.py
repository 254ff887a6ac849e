"""States of chains as tests want them, without running any."""

import numpy as np

from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._chains.mixing import mixing
from pathfinder._chains.virial import virial_of


SUPERCHAINS, PER_START = 20, 5
NUM_CHAINS = SUPERCHAINS * PER_START


def independent(num_iterations=12, dim=3, seed=0):
    """States of perfect chains of a standard normal."""
    return np.random.default_rng(seed).normal(size=(num_iterations, NUM_CHAINS, dim))


def chains_of(states, **fields):
    """Chains that have come to these states, which stand for those of a standard normal."""
    log_p = -0.5 * np.sum(states**2, axis=-1)
    own = {
        "states": states,
        "log_p": log_p,
        "start_rows": np.repeat(np.arange(SUPERCHAINS), PER_START),
        "num_superchains": SUPERCHAINS,
        "mixing": mixing(states, SUPERCHAINS),
        "mixing_of_log_p": mixing(log_p[..., None], SUPERCHAINS),
        "virial": virial_of(np.mean((states**2).reshape(len(states), SUPERCHAINS, PER_START, -1), axis=(0, 2))),
        "acceptance": 0.8,
        "step_size": 0.5,
        "num_iterations": 2 * len(states),
        "num_gradients": 10_000,
        "ended": "mixed",
    }
    return ChainDraws(**{**own, **fields})
