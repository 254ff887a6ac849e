import jax
import jax.numpy as jnp
import numpy as np
import pytest

from psis import effective_sample_size


def test_effective_sample_size_is_one_over_the_sum_of_squares():
    weights = np.random.default_rng(0).dirichlet(np.ones(6), size=(2, 3))
    expected = [[1 / sum(w**2 for w in row) for row in block] for block in weights]
    np.testing.assert_allclose(effective_sample_size(np.log(weights)), expected, rtol=1e-12)


@pytest.mark.parametrize("constant", [-2000.0, 0.0, 2000.0])
def test_scale_does_not_matter(constant):
    log_weights = np.array([0.0, -np.inf, 0.0, -800.0, 0.0]) + constant
    assert effective_sample_size(log_weights) == pytest.approx(3, rel=1e-12)


def test_one_draw():
    assert effective_sample_size(np.array([-5.0])) == 1


@pytest.mark.parametrize(
    ("log_weights", "message"),
    [
        ([0.0, np.nan, np.inf], r"2 value\(s\) that are NaN or \+inf"),
        ([-np.inf, -np.inf], "no draw a positive weight"),
        ([[0.0, 0.0], [-np.inf, -np.inf]], "no draw a positive weight"),
    ],
)
def test_weights_that_are_none_are_refused(log_weights, message):
    with pytest.raises(ValueError, match=message):
        effective_sample_size(np.array(log_weights))


@pytest.mark.usefixtures("strict_jax")
def test_jit():
    rows = np.array([[0.0, -np.inf, -1.0], [np.nan, 0, 0], [np.inf, 0, 0], [-np.inf, -np.inf, -np.inf]])
    found = np.asarray(jax.jit(effective_sample_size)(jnp.asarray(rows)))
    assert found[0] == pytest.approx(effective_sample_size(rows[0]), rel=1e-12)
    assert np.all(np.isnan(found[1:]))


def test_float32_is_kept():
    assert effective_sample_size(np.zeros(4, dtype=np.float32)).dtype == np.float32
