"""Random loops against a plain interpreter."""

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from tests.stan.programs.fuzzing import DATA, DIM, meaning, programs
from tests.stan.running import assert_close, bound


@hypothesis.settings(max_examples=40, deadline=None, derandomize=True, database=None)
@hypothesis.given(program=programs(), loops=st.sampled_from(["auto", "auto", "scan"]))
def test_random_loops(program, loops):
    position = np.linspace(-0.9, 1.1, DIM)[[3, 0, 5, 1, 6, 2, 4]]
    density = bound(program.stan, DATA, loops).log_density
    value, gradient = jax.jit(jax.value_and_grad(density))(jnp.asarray(position))
    expected, expected_gradient = meaning(program, position)
    assert_close(value, expected, 1e-9)
    assert_close(gradient, expected_gradient, 1e-9)
