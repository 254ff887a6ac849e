"""Generated quantities that the program rejects."""

import warnings

import jax
import numpy as np
import pytest
from scipy import stats

from pathfinder import Model, fit


DRAWS = 200
REJECTING = """\
parameters { real x; }
model { x ~ normal(0, 1); }
generated quantities {
  real before = x + 1;
  int k = 3;
  array[2] tuple(real, int) t = {(x, 1), (x, 2)};
  if (x > 1) reject("x is ", x, ", too large");
  real after = x;
}
"""
CONSTRAINED = """\
parameters { real x; }
model { x ~ normal(0, 1); }
generated quantities { real<upper=1> y = x; real z = x; }
"""
ON_HOST = """\
parameters { real x; }
model { x ~ normal(0, 1); }
generated quantities {
  real z;
  {
    int n = poisson_rng(3);
    vector[n] v = rep_vector(x, n);
    if (x > 1) { reject("too large"); }
    z = sum(v) + x;
  }
}
"""


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def drawn(model):
    """Draws of all variables, and the warnings on the way."""
    result = fit(model, num_draws=DRAWS, num_psis_draws=DRAWS, seed=1, refine=False, progress=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        draws = result.draws
    return draws, [str(warning.message) for warning in caught]


def test_all_quantities_of_a_rejected_draw_are_nan():
    draws, (message,) = drawn(Model.from_stan(REJECTING))
    rejected = draws["x"] > 1
    assert abs(rejected.mean() - stats.norm.sf(1)) < 5 * np.sqrt(0.16 * 0.84 / DRAWS)
    for name in ("before", "after", "t.1:1", "t.2:1"):
        np.testing.assert_array_equal(np.isnan(draws[name]), rejected)
    np.testing.assert_array_equal(draws["before"][~rejected], draws["x"][~rejected] + 1)
    np.testing.assert_array_equal(draws["k"], np.where(rejected, np.iinfo(np.int32).min, 3))
    first = draws["x"][rejected]
    assert message.startswith(f"Generated quantities of {rejected.sum()} of {DRAWS} draws are NaN")
    assert "The first time: model, line 7, column 14: rejected: x is " in message
    assert any(f"x is {x:g}, too large" in message for x in first)


def test_constraints_of_generated_quantities_reject():
    draws, (message,) = drawn(Model.from_stan(CONSTRAINED))
    np.testing.assert_array_equal(np.isnan(draws["z"]), draws["x"] > 1)
    assert "must not be above the upper bound" in message


@pytest.mark.filterwarnings("ignore:Generated quantities are computed draw by draw")
def test_rejections_on_the_host():
    draws, (message,) = drawn(Model.from_stan(ON_HOST))
    np.testing.assert_array_equal(np.isnan(draws["z"]), draws["x"] > 1)
    assert "line 8" in message
    assert "rejected: too large" in message


def test_programs_that_never_reject_say_nothing():
    draws, messages = drawn(Model.from_stan(REJECTING.replace("x > 1", "x > 1e9")))
    assert not messages
    assert not np.isnan(draws["after"]).any()
    model = Model.from_stan("parameters { real x; } model { } generated quantities { real y = x; }")
    assert model.generate_fn is not None
    assert set(model.generate_fn(jax.random.key(0), np.zeros(1), model.data)) == {"y"}


def test_random_numbers_in_a_recurrence_around_which_the_scan_fails():
    """The keys of an attempt at a scan that came to nothing were used behind it."""
    program = """\
data { int J; int T; }
parameters { real<lower=0, upper=1> a; real<lower=0, upper=1> b; }
model { }
generated quantities {
  array[J, T] int<lower=0, upper=1> y;
  {
    real shocks;
    real escapes;
    real p;
    for (j in 1:J) {
      shocks = 0;
      escapes = 0;
      y[j, 1] = 1;
      for (t in 2:T) {
        shocks = shocks + y[j, t - 1];
        escapes = escapes + 1 - y[j, t - 1];
        p = a ^ shocks * b ^ escapes;
        y[j, t] = bernoulli_rng(p);
      }
    }
  }
}"""
    draws, messages = drawn(Model.from_stan(program, {"J": 5, "T": 4}))
    assert not messages
    assert set(np.unique(draws["y"])) == {0, 1}
    assert abs((draws["y"][:, :, 1] - draws["a"][:, None]).mean()) < 5 * 0.5 / np.sqrt(5 * DRAWS)
