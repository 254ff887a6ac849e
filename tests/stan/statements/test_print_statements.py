"""What `print` says in compiled programs: once for each evaluation, with the values of that evaluation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import Model
from pathfinder.stan import check, parse
from pathfinder.stan._program.model_fields import model_fields
from pathfinder.stan._statements.print_statements import shown


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def printing(program, data=None):
    """A model, and the list of what it prints."""
    lines = []
    return Model(**model_fields(check(parse(program)), data or {}, print_line=lines.append, prints=True)), lines


def of_density(program, positions, data=None):
    """What the gradients at some positions print, together."""
    model, lines = printing(program, data)
    del lines[:]
    gradient = jax.jit(jax.vmap(jax.value_and_grad(model.density), in_axes=(0, None)))
    jax.block_until_ready(gradient(jnp.asarray(positions, float), model.data))
    jax.effects_barrier()
    return lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"), (1 / 3, "0.333333"), (1e10, "1e+10"), (float("nan"), "nan"), (-float("inf"), "-inf"),
        (3, "3"), (True, "1"), (np.arange(3), "[0,1,2]"), (np.eye(2), "[[1,0],[0,1]]"), (1.5 - 2j, "(1.5,-2)"),
        ((1, np.ones(2)), "(1,[1,1])"), (np.zeros(0), "[]"),
    ],
)  # fmt: skip
def test_values_are_shown_as_stan_does(value, text):
    assert shown(value) == text


def test_what_was_said_before_a_loop_that_is_begun_anew_is_said():
    """The inner loop is a scan, in which it turns out that each outer iteration needs copies of `a` and `b`."""
    program = """
      parameters { vector[3] x; }
      model {
        vector[2] a; vector[2] b;
        print("before");
        for (i in 1:3) {
          a[1] = x[i];
          for (t in 2:5) { b[1] = a[1] * 0.5; b[2] = b[1] + a[1]; a[1] = sin(b[2]); }
          target += a[1];
        }
      }"""
    assert of_density(program, [[1, 2, 3]]) == ["before"]


def test_each_evaluation_prints():
    program = 'parameters { vector[2] x; } model { print("x = ", x, " and ", x[1] * 2); x ~ normal(0, 1); }'
    assert sorted(of_density(program, [[1, 2], [3, 4]])) == ["x = [1,2] and 2", "x = [3,4] and 6"]


def test_conditions_on_parameters_count():
    program = 'parameters { real x; } model { if (x > 0) print("yes ", x); else print("no ", x); }'
    assert sorted(of_density(program, [[1], [-1]])) == ["no -1", "yes 1"]


def test_iterations_that_run_at_once_print_one_after_another():
    program = """\
data { int N; array[N] int m; }
parameters { real x; }
model {
  for (n in 1 : N) {
    for (i in 1 : m[n]) {
      if (x * i > 1.5) print(n, " ", i, " ", x * i);
    }
    if (n % 2 == 1) print("odd ", n);
  }
  x ~ normal(0, 1);
}"""
    lines = of_density(program, [[1]], {"N": 3, "m": np.array([1, 3, 2])})
    assert [line for line in lines if "odd" not in line] == ["2 2 2", "2 3 3", "3 2 2"]
    assert [line for line in lines if "odd" in line] == ["odd 1", "odd 3"]


def test_recurrences_print_in_every_iteration():
    program = """\
parameters { real x; }
model {
  real z = x;
  for (n in 1 : 40) {
    z = 0.5 * z + x;
    if (n > 38) print(n, " ", z);
  }
  target += z;
}"""
    assert of_density(program, [[1]]) == ["39 2", "40 2"]


def test_nothing_is_printed_after_a_rejection():
    program = 'parameters { real x; } model { print("before"); if (x < 0) reject("no"); print("after ", x); }'
    assert sorted(of_density(program, [[1], [-1]])) == ["after 1", "before", "before"]


def test_generated_quantities_print_once_for_each_draw():
    program = """\
parameters { real x; }
transformed parameters { real y = 2 * x; print("y ", y); }
model { print("model"); }
generated quantities { real z = y + 1; print("z ", z); for (i in 1:2) print(i, " ", target()); }"""
    program = program.replace(', " ", target()', "")
    model, lines = printing(program)
    del lines[:]
    keys = jax.random.split(jax.random.key(0), 2)
    positions = jnp.array([[1.0], [2.0]])
    assert model.generate_fn is not None
    jax.block_until_ready(jax.jit(jax.vmap(model.generate_fn, in_axes=(0, 0, None)))(keys, positions, model.data))
    assert sorted(lines) == ["1", "1", "2", "2", "z 3", "z 5"]


def test_the_density_is_that_of_the_silent_program():
    program = "parameters { real x; } model { for (i in 1:40) { print(i, x); } x ~ normal(0, 1); }"
    model, _ = printing(program)
    assert model.log_density([0.5]) == Model.from_stan(program).log_density([0.5])


def test_programs_are_silent_unless_told_otherwise(capsys):
    program = """\
transformed data { print("loaded"); }
parameters { real x; }
model { print("x = ", x); x ~ normal(0, 1); }"""
    Model.from_stan(program).log_density([1.0])
    assert capsys.readouterr().out == ""
    model = Model.from_stan(program, prints=True)
    assert capsys.readouterr().out == "loaded\n"
    jax.block_until_ready(model.log_density([1.0]))
    assert capsys.readouterr().out == "x = 1\n"
