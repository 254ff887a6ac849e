"""How large the compiled programs are: loops must not be unrolled, nor recurrences carry what they do not need."""

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest
from jax.interpreters.partial_eval import dce_jaxpr

from tests.stan.programs.corpus import LOOPS
from tests.stan.running import bound, how


def graph(program, data):
    """The gradient's graph without what its result does not need, and the program."""
    found = bound(program, data)
    closed = jax.make_jaxpr(jax.grad(found.log_density))(jnp.zeros(found.dim))
    jaxpr, used = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
    assert all(used)
    return closed.replace(jaxpr=jaxpr), found


def equations(jaxpr):
    """All of them, those inside of others, too."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            yield from equations(inner)


def size(closed):
    return sum(1 for _ in equations(closed.jaxpr))


def scans(closed):
    return [equation for equation in equations(closed.jaxpr) if equation.primitive.name == "scan"]


def series(T):
    return {"T": T, "y": np.sin(np.arange(T)), "r": np.sin(np.arange(T))}


def test_independent_observations():
    case = LOOPS["observations"]

    def of(N):
        g = 1 + np.arange(N) % 3
        return graph(case.text, {"N": N, "J": 3, "y": np.sin(np.arange(N)), "g": g})[0]

    assert size(of(10)) == size(of(10_000)) < 150
    assert not scans(of(10))


@pytest.mark.parametrize("name", ["moving average", "heteroscedastic"])
def test_recurrence_is_one_scan_forwards_and_one_backwards(name):
    short, program = graph(LOOPS[name].text, series(100))
    long, _ = graph(LOOPS[name].text, series(10_000))
    assert "scan" in how(program)
    assert size(short) == size(long) < 400
    assert len(scans(long)) == 2


@pytest.mark.parametrize("name", ["moving average", "heteroscedastic"])
def test_recurrence_carries_nothing_as_long_as_the_series(name):
    T = 1000
    closed, _ = graph(LOOPS[name].text, series(T))
    for scan in scans(closed):
        first = scan.params["num_consts"]
        carried = scan.invars[first : first + scan.params["num_carry"]]
        assert all(np.prod(value.aval.shape) < 10 for value in carried), [value.aval.shape for value in carried]


def test_segments_of_many_sizes():
    program = """
    data { int N; int M; array[N] int st; array[N] int len; vector[M] y; }
    parameters { real a; vector[N] b; }
    model { for (n in 1:N) segment(y, st[n], len[n]) ~ normal(a + b[n], 1); }
    """

    def of(N):
        lengths = 1 + np.arange(N) % 40
        starts = 1 + np.concatenate([[0], np.cumsum(lengths)[:-1]])
        M = int(np.sum(lengths))
        return graph(program, {"N": N, "M": M, "st": starts, "len": lengths, "y": np.ones(M)})[0]

    assert size(of(40)) == size(of(2000)) < 100


def test_nested_loops_have_as_many_lanes_as_iterations():
    program = """
    data { int N; array[N] int len; }
    parameters { vector[N] a; }
    model { for (n in 1:N) for (j in 1:len[n]) target += sin(a[n] * j); }
    """
    lengths = np.where(np.arange(100) == 7, 1000, 2)
    closed, _ = graph(program, {"N": 100, "len": lengths})
    sizes = [np.prod(out.aval.shape) for equation in equations(closed.jaxpr) for out in equation.outvars]
    assert max(sizes) == np.sum(lengths)


def test_many_series_are_one_scan():
    T, J = 50, 20
    program = LOOPS["many series"].text
    closed, found = graph(program, {"T": T, "J": J, "y": np.zeros((T, J))})
    assert how(found)[:2] == ["lanes", "scan"]
    assert len(scans(closed)) == 2


def panel(lengths):
    N = int(np.sum(lengths))
    return {"K": len(lengths), "N": N, "n": np.asarray(lengths), "y": np.sin(np.arange(N))}


@pytest.mark.parametrize(
    "name",
    [
        "series at a running position",
        "individuals with hidden states",
        "individuals with hidden states in arrays around",
    ],
)
def test_series_of_individuals_are_one_scan(name):
    few, program = graph(LOOPS[name].text, panel([30] * 5))
    many, _ = graph(LOOPS[name].text, panel([60] * 200))
    assert how(program).count("scan") == 1
    assert how(program).count("lanes") == len(how(program)) - 1
    assert size(few) == size(many)
    assert len(scans(many)) == 2
    unequal, program = graph(LOOPS[name].text, panel(2 + np.arange(100) * 7 % 40))
    assert how(program).count("scan") == 1
    assert len(scans(unequal)) == 2


@pytest.mark.parametrize("name", ["series at a running position", "series in parts", "backwards through a local index"])
def test_windows_are_carried_instead_of_arrays(name):
    N = 240
    y = np.sin(np.arange(N))
    data = {"series in parts": {"K": N // 3, "N": N, "y": y}, "series at a running position": panel([60] * 4)}
    table = {"N": N, "y": np.stack([y, y]), "g": 1 + np.arange(N) % 2}
    closed, _ = graph(LOOPS[name].text, data.get(name, table))
    for scan in scans(closed):
        first = scan.params["num_consts"]
        carried = scan.invars[first : first + scan.params["num_carry"]]
        assert all(np.prod(value.aval.shape) < 20 for value in carried), [value.aval.shape for value in carried]


def test_only_the_recurrence_of_hidden_states_is_in_the_scan():
    closed, _ = graph(LOOPS["hidden states"].text, {"T": 50, "K": 3, "y": np.sin(np.arange(50))})
    inside = [equation.primitive.name for equation in equations(scans(closed)[0].params["jaxpr"].jaxpr)]
    assert inside.count("log") == 1  # of the sum over states, and none of probabilities
    assert len(inside) < 40


@pytest.mark.parametrize("name", ["recurrence that data end", "while with a recurrence"])
def test_loops_that_data_end_are_scans(name):
    def of(N):
        y = np.where(np.arange(N) == N - 2, 2.5, 0.5 * np.sin(np.arange(N)) / N)
        return graph(LOOPS[name].text, {"N": N, "y": y, "step": np.ones(N, int)})

    (short, _), (long, program) = of(40), of(400)
    assert size(short) == size(long)
    assert "scan" in how(program)
    assert "unrolled" not in how(program)


def test_data_are_constants_of_the_graph():
    N = 5000
    program = "data { int N; vector[N] y; } parameters { real a; } model { for (n in 1:N) y[n] ~ normal(a, 1); }"
    closed, _ = graph(program, {"N": N, "y": np.arange(N)})
    assert any(np.shape(constant) == (N,) for constant in closed.consts)


def test_recurrence_of_data_leaves_no_scan():
    case = LOOPS["outcomes of the past"]
    closed, found = graph(case.text, case.data)
    assert not scans(closed)
    assert "unrolled" not in how(found)
