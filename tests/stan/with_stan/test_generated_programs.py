"""Random programs: stanc accepts and refuses the same ones, and the densities of those that it accepts are equal."""

from random import Random

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st

from pathfinder.stan import check, parse
from tests.stan.oracle import explicit
from tests.stan.running import bound
from tests.stan.with_stan.generated import DATA, Generator, broken
from tests.stan.with_stan.stanc import Stanc, require_same_verdict


FEW = hypothesis.settings(max_examples=6, deadline=None, derandomize=True, database=None)
MANY = hypothesis.settings(max_examples=100, deadline=None, derandomize=True, database=None)
ERRORS = hypothesis.settings(max_examples=100, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 2**32)
POSITIONS = [[0.6 * np.cos(1.7 * i + shift) for i in range(60)] for shift in (0.0, 1.0)]


@pytest.fixture(scope="module")
def stanc():
    with Stanc() as process, jax.enable_x64(True):
        yield process


def require_equal_densities(stanc, program):
    expected = stanc.density(explicit(program), DATA, POSITIONS)
    hypothesis.assume(isinstance(expected, list))
    model = bound(program, DATA)
    evaluate = jax.jit(jax.value_and_grad(model.log_density))
    for position, reference in zip(POSITIONS, expected, strict=True):
        value, gradient = evaluate(jnp.asarray(position[: model.dim]))
        if reference is None:
            assert not np.isfinite(value), f"{program}\nis rejected by Stan at {position[: model.dim]}"
            continue
        if not np.isfinite(reference[0]):
            # Stan's skew normal ends where erfc underflows
            assert not np.isfinite(value) or "skew_normal" in program, f"{program}\nis {reference[0]} in Stan"
            continue
        scale = max(1.0, np.abs(reference[1]).max(initial=0.0))
        np.testing.assert_allclose(value, reference[0], 1e-8, 1e-8, err_msg=program)
        # Stan's derivatives of log normal cdfs are approximations with six digits
        precise = not any(name in program for name in ("ordered_probit", "normal_lcdf", " T["))
        np.testing.assert_allclose(gradient, reference[1], 1e-7, (1e-8 if precise else 1e-4) * scale, err_msg=program)


def test_generated_programs_are_programs(stanc):
    for seed in range(30):
        program = Generator(Random(seed)).program()
        check(parse(program))
        assert not stanc(program)


@FEW
@hypothesis.given(seed=seeds)
def test_densities(stanc, seed):
    require_equal_densities(stanc, Generator(Random(seed)).program())


@pytest.mark.slow
@MANY
@hypothesis.given(seed=seeds)
def test_many_densities(stanc, seed):
    require_equal_densities(stanc, Generator(Random(seed)).program())


@ERRORS
@hypothesis.given(seed=seeds)
def test_random_errors(stanc, seed):
    random = Random(seed)
    program = broken(Generator(random).program(), random)
    require_same_verdict(stanc, program)
