"""What is said of programs that reject every point to start from."""

import numpy as np
import pytest

import pathfinder
from pathfinder import Model


PROGRAMS = {
    "reject": (
        'parameters { real x; } model {\n  if (x < 100) reject("never ", x * 0, "!");\n}',
        "never 0! (model, line 2, column 16)",
    ),
    "fatal_error in a loop": (
        "parameters { real x; } model {\n  for (n in 1 : 5) {\n    if (n > 2 && x < 100) fatal_error(n);\n  }\n}",
        "3 (model, line 3, column 27)",
    ),
    "function": (
        'functions { real f(real x) { if (x < 100) reject("inside"); return x; } }\n'
        "parameters { real x; } model { target += f(x); }",
        "inside (model, line 1, column 43)",
    ),
    "constraint": (
        "parameters { real x; } transformed parameters {\n  real<lower=3> y = x - 100;\n} model { y ~ normal(0, 1); }",
        "`y`: The value must not be below the lower bound",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_programs_own_words(name):
    program, expected = PROGRAMS[name]
    model = Model.from_stan(program)
    with pytest.raises(pathfinder.PathfinderError) as caught:
        pathfinder.fit(model, seed=1, num_paths=2, progress=False)
    for reason in caught.value.reasons:
        assert "At the last point tried the log density is -inf. The program says: " in reason
        said = reason.partition("The program says: ")[2]
        assert said.replace("-0", "0").startswith(expected)
    assert all(reason in str(caught.value) for reason in caught.value.reasons)


def test_nothing_is_said_of_a_point_that_is_not_rejected():
    model = Model.from_stan('parameters { real x; } model { if (x > 0) reject("positive"); x ~ normal(0, 1); }')
    assert model.rejection_fn is not None
    assert model.rejection_fn(np.array([-1.0])) == ""
    assert model.rejection_fn(np.array([1.0])).startswith("The program says: positive (")


@pytest.mark.parametrize(
    ("statements", "value", "place"),
    [
        ("x ~ normal(0, 1);\n  x ~ normal(0, -1);", "nan", "line 2, column 3"),
        ("for (n in 1 : 50) {\n    target += n == 40 ? negative_infinity() : -x^2;\n  }", "-inf", "line 2, column 5"),
        (
            "real sum = 0;\n  for (n in 1 : 50) {\n    sum += log(x - 10);\n  }\n  target += sum;",
            "nan",
            "line 5, column 3",
        ),
    ],
)
def test_the_statement_that_makes_the_density_not_finite(statements, value, place):
    model = Model.from_stan(f"parameters {{ real x; }} model {{ {statements} }}")
    with pytest.raises(pathfinder.PathfinderError) as caught:
        pathfinder.fit(model, seed=1, num_paths=1, progress=False)
    (reason,) = caught.value.reasons
    assert f"At the last point tried the log density is {value}. It becomes {value} here (model, {place})." in reason
