"""`complex_row_vector` in every block against `complex_vector`, transposed, and against NumPy."""

import numpy as np
import pytest
from scipy.stats import norm

import pathfinder
from tests.stan.running import bound


ROWS = """
functions {
  complex_row_vector f(complex_row_vector x, data complex_row_vector y) { return x .* y; }
  complex_row_vector counted(int n) { complex_row_vector[n] r; for (i in 1:n) r[i] = to_complex(i, -i); return r; }
}
data { int N; complex_row_vector[N] z; array[2] complex_row_vector[N] a; complex_vector[N] v; row_vector[N] real_row; }
transformed data {
  complex_row_vector[N] t = counted(N);
  complex_row_vector[N] promoted = real_row;
  complex w = z * v;
}
parameters {
  complex_row_vector[N] p;
  array[2] complex_row_vector[N] q;
  tuple(complex_row_vector[N], real) both;
}
transformed parameters {
  complex_row_vector[N] u = f(p, z) + t;
  u[1] += 1i;
  u[2:N] = q[1, 2:N];
}
model {
  target += get_real(u * v) + get_imag(sum(q[2] - a[1])) + abs(both.1[1]) * both.2 + get_real(p * conj(p)');
  target += get_imag(promoted * v) + get_real(w) + get_real(append_col(p, z) * append_row(v, v));
}
generated quantities {
  complex_row_vector[N] twice = 2 * p;
  complex_matrix[2, N] m = [p, z];
  complex_row_vector[N] second = m[2];
}
"""
VALUES = {
    "N": 2,
    "z": np.array([1 + 2j, 3 + 4j]),
    "a": np.array([[1j, 2], [3, 4j]]),
    "v": np.array([1j, 2 + 1j]),
    "real_row": np.array([1.0, 2.0]),
}


def as_json(array):
    """As CmdStan's data files have complex numbers, in pairs."""
    array = np.asarray(array)
    return np.stack([array.real, array.imag], -1).tolist() if np.iscomplexobj(array) else array.tolist()


@pytest.fixture(scope="module")
def model():
    return pathfinder.Model.from_stan(ROWS, {name: as_json(value) for name, value in VALUES.items()})


def test_density_is_that_of_numpy(model):
    position = np.linspace(-1, 1, model.dim)
    pairs = position[:-1].reshape(-1, 2)
    p, q, both = np.split((pairs[:, 0] + 1j * pairs[:, 1]).reshape(-1, 2), [1, 3])
    p, both, z, v = p[0], both[0], VALUES["z"], VALUES["v"]
    u = p * z + np.array([1 - 1j, 2 - 2j])
    u[0] += 1j
    u[1] = q[0, 1]
    expected = (u @ v).real + (q[1] - VALUES["a"][0]).sum().imag + abs(both[0]) * position[-1] + (abs(p) ** 2).sum()
    expected += (VALUES["real_row"] @ v).imag + (z @ v).real + (p @ v + z @ v).real
    assert float(model.log_density(position)) == pytest.approx(expected, rel=1e-12)


def test_columns_and_draws(model):
    assert model.columns()[:4] == ["p.1.real", "p.1.imag", "p.2.real", "p.2.imag"]
    assert model.columns()[-4:] == ["second.1.real", "second.1.imag", "second.2.real", "second.2.imag"]
    assert "both:1.2.imag" in model.columns()


def test_values_go_back_to_where_they_came_from(model):
    position = np.linspace(-1, 1, model.dim)
    p = position[0:4:2] + 1j * position[1:4:2]
    q = (position[4:12:2] + 1j * position[5:12:2]).reshape(2, 2)
    given = {"p": p, "q": q, "both": (position[12:16:2] + 1j * position[13:16:2], position[16])}
    np.testing.assert_allclose(model.unconstrain(given), position)


def test_the_case_of_a_column():
    column = "data {{ complex_{}vector[2] z; }} parameters {{ real x; }} model {{ x ~ normal(get_real(z[1]), 1); }}"
    data = {"z": [1 + 2j, 3 + 4j]}
    values = [pathfinder.Model.from_stan(column.format(kind), data).log_density([0.27392337]) for kind in ("", "row_")]
    np.testing.assert_allclose(values, norm.logpdf(0.27392337, 1), rtol=1e-12)


def test_loops_through_rows():
    program = bound(
        """
        data { int N; } parameters { complex_row_vector[40] p; }
        model { complex s = 0; for (i in 2:40) s = s * 0.5 + p[i] * p[i - 1]; target += get_real(s); }
        """,
        {"N": 1},
    )
    position = np.cos(np.arange(80.0))
    p, s = position[::2] + 1j * position[1::2], 0
    for i in range(1, 40):
        s = s * 0.5 + p[i] * p[i - 1]
    assert float(program.log_density(position)) == pytest.approx(s.real, rel=1e-10)
