"""Functions that stanli cannot run, properties, derivatives and lanes of all."""

import cmath
import itertools
import math
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from scipy import special, stats

from pathfinder.stan._library.functions import FUNCTIONS, OPERATORS
from pathfinder.stan._library.functions.linear_algebra import LINEAR_ALGEBRA
from pathfinder.stan._library.functions.special.bessel import BESSEL
from pathfinder.stan._library.functions.special.first_passage import FIRST_PASSAGE
from pathfinder.stan._library.functions.special.gamma import GAMMA_FUNCTIONS
from pathfinder.stan._library.functions.special.hypergeometric import HYPERGEOMETRIC
from pathfinder.stan._library.functions.special.quantiles import SPECIAL
from pathfinder.stan._types.types import Type
from tests.stan.library.functions.cases import REFERENCES, grouped, read_type, value_of
from tests.stan.library.functions.test_references import forms


A = np.array([[1.3, -0.4, 0.2], [0.7, 0.5, -1.1], [-0.6, 0.8, 2.1]])
B = np.array([[0.2, 0.9], [-0.7, 0.4], [1.5, -0.3]])
SPD = np.array([[2.0, 0.5, 0.3], [0.5, 1.5, -0.2], [0.3, -0.2, 1.0]])
L = np.linalg.cholesky(SPD)
V = np.array([0.3, 0.8, 0.45])
W = np.array([0.35, 0.2, 0.9])
POINTS = np.array([[0.2, 0.7, 0.5], [0.15, 0.95, 0.4], [1.0, 0.0, -0.3], [0.2, 0.7, 0.5]])
Z = np.array([1 + 2j, -0.5 + 0.25j, 3 - 1j])
ZZ = np.stack([Z, Z[::-1] * 2, Z + 1j])
CSR = np.array([[0.0, 1.5, 0.0], [0.0, 0.0, 0.0], [2.5, 0.0, -1.0]])
CSR_PARTS = (np.array([1.5, 2.5, -1.0]), np.array([2, 1, 3]), np.array([1, 2, 2, 4]))
DIFFERENCES = POINTS[:, None] - POINTS[None]
SCALED = np.sqrt(np.sum((DIFFERENCES / W) ** 2, -1))
DISTANCES = np.sqrt(np.sum(DIFFERENCES**2, -1))


def covariance(kernel):
    return 2.25 * kernel


# name, types of the arguments, arguments, value
CLOSED_FORMS = [
    ("fabs", "real", (-2.5,), 2.5),
    ("int_step", "real", (0.0,), 0),
    ("int_step", "int", (3,), 1),
    ("to_int", "real", (-2.7,), -2),
    ("modulus", "int int", (-7, 3), -1),
    ("multiply_log", "real real", (3.0, 2.0), 3 * math.log(2)),
    ("binomial_coefficient_log", "real real", (10.0, 3.0), math.log(120)),
    ("inc_beta", "real real real", (2.5, 1.5, 0.3), special.betainc(2.5, 1.5, 0.3)),
    ("inc_beta", "real real real", (300.0, 500.0, 0.4), special.betainc(300.0, 500.0, 0.4)),
    ("inv_inc_beta", "real real real", (2.5, 1.5, 0.3), special.betaincinv(2.5, 1.5, 0.3)),
    ("trigamma", "real", (2.5,), special.polygamma(1, 2.5)),
    ("norm1", "vector", (V,), 1.55),
    ("norm2", "vector", (V,), np.linalg.norm(V)),
    ("distance", "vector vector", (V, W), np.linalg.norm(V - W)),
    ("log_mix", "vector array[]vector", (V / V.sum(), POINTS), np.log(np.exp(POINTS) @ (V / V.sum())).sum()),
    ("log_mix", "vector vector", (V / V.sum(), W), np.log(np.exp(W) @ (V / V.sum()))),
    ("log_sum_exp", "vector", (np.array([-np.inf, -np.inf]),), -np.inf),
    ("quantile", "vector real", (V, 0.25), 0.375),
    ("to_array_2d", "matrix", (A,), A),
    ("to_matrix", "matrix int int int", (B, 2, 3, 0), B.T.reshape(2, 3)),
    ("rep_array", "vector int int", (V, 2, 2), np.tile(V, (2, 2, 1))),
    ("csr_to_dense_matrix", "int int vector array[]int array[]int", (3, 3, *CSR_PARTS), CSR),
    ("csr_matrix_times_vector", "int int vector array[]int array[]int vector", (3, 3, *CSR_PARTS, V), CSR @ V),
    ("csr_extract", "matrix", (CSR,), CSR_PARTS),
    ("trace", "matrix", (A,), 3.9),
    ("trace_dot", "matrix matrix", (B, B.T * 2), np.trace(B @ B.T) * 2),
    ("to_vector_array", "matrix", (B,), B.T),
    ("to_row_vector_array", "matrix", (B,), B),
    ("student_t_qf", "real real real real", (0.2, 4.0, 2.0, 3.0), -0.8228937317055416),  # stanli 0.24
    ("student_t_qf", "real real real real", (1e-10, 2.5, 0.0, 1.0), stats.t.ppf(1e-10, 2.5)),
    ("student_t_qf", "real real real real", (0.4999, 5.0, 0.0, 1.0), stats.t.ppf(0.4999, 5.0)),
    ("student_t_qf", "real real real real", (0.0, 5.0, 0.0, 1.0), -math.inf),
    ("determinant", "matrix", (A,), np.linalg.det(A)),
    ("log_determinant_spd", "matrix", (SPD,), math.log(np.linalg.det(SPD))),
    ("chol2inv", "matrix", (L,), np.linalg.inv(SPD)),
    ("generalized_inverse", "matrix", (B,), np.linalg.pinv(B)),
    ("symmetrize_from_lower_tri", "matrix", (A,), np.tril(A) + np.tril(A, -1).T),
    ("trace_quad_form", "matrix matrix", (A, B), np.trace(B.T @ A @ B)),
    ("trace_quad_form", "matrix vector", (A, V), V @ A @ V),
    ("trace_gen_quad_form", "matrix matrix matrix", (SPD[:2, :2], A, B), np.trace(SPD[:2, :2] @ B.T @ A @ B)),
    ("matrix_power", "matrix int", (A, 3), A @ A @ A),
    ("matrix_exp_multiply", "matrix matrix", (A, B), scipy.linalg.expm(A) @ B),
    ("scale_matrix_exp_multiply", "real matrix matrix", (0.3, A, B), scipy.linalg.expm(0.3 * A) @ B),
    ("singular_values", "matrix", (B,), np.sqrt(np.linalg.eigvalsh(B.T @ B))[::-1]),
    ("add_diag", "matrix row_vector", (A, V), A + np.diag(V)),
    ("mdivide_left_spd", "matrix vector", (SPD, V), np.linalg.solve(SPD, V)),
    ("mdivide_right_tri_low", "row_vector matrix", (V, L), V @ np.linalg.inv(L)),
    ("gp_exp_quad_cov", "array[]vector real array[]real", (POINTS, 1.5, W), covariance(np.exp(-0.5 * SCALED**2))),
    ("gp_exponential_cov", "array[]vector real array[]real", (POINTS, 1.5, W), covariance(np.exp(-SCALED))),
    (
        "gp_matern32_cov",
        "array[]vector array[]vector real array[]real",
        (POINTS, POINTS[:2], 1.5, W),
        covariance((1 + math.sqrt(3) * SCALED) * np.exp(-math.sqrt(3) * SCALED))[:, :2],
    ),
    (
        "gp_matern52_cov",
        "array[]vector real array[]real",
        (POINTS, 1.5, W),
        covariance((1 + math.sqrt(5) * SCALED + 5 / 3 * SCALED**2) * np.exp(-math.sqrt(5) * SCALED)),
    ),
    ("gp_dot_prod_cov", "array[]vector real", (POINTS, 1.5), 2.25 + POINTS @ POINTS.T),
    ("gp_dot_prod_cov", "array[]real array[]real real", (V, W, 1.5), 2.25 + np.outer(V, W)),
    (
        "gp_periodic_cov",
        "array[]vector real real real",
        (POINTS, 1.5, 0.8, 2.0),
        covariance(np.exp(-2 * np.sin(np.pi * DISTANCES / 2) ** 2 / 0.64)),
    ),
    (
        "cov_exp_quad",
        "array[]real real real",
        (V, 1.5, 0.8),
        covariance(np.exp(-0.5 * np.subtract.outer(V, V) ** 2 / 0.64)),
    ),
    # complex numbers
    ("get_real", "complex", (1 + 2j,), 1.0),
    ("get_imag", "complex_vector", (Z,), Z.imag),
    ("conj", "complex_vector", (Z,), Z.real - 1j * Z.imag),
    ("arg", "complex", (-1 + 1j,), 0.75 * math.pi),
    ("abs", "complex", (3 + 4j,), 5.0),
    ("norm", "complex", (3 + 4j,), 25.0),
    ("proj", "complex", (complex(-math.inf, -2.0),), complex(math.inf, -0.0)),
    ("polar", "real real", (2.0, 0.3), cmath.rect(2.0, 0.3)),
    ("to_complex", "", (), 0j),
    ("to_complex", "real", (2.0,), 2 + 0j),
    ("to_complex", "vector real", (V, 2.0), V + 2j),
    ("exp", "complex", (1 + 2j,), cmath.exp(1 + 2j)),
    ("pow", "complex complex", (1 + 2j, 0.5 - 1j), (1 + 2j) ** (0.5 - 1j)),
    ("sum", "complex_vector", (Z,), 3.5 + 1.25j),
    ("fft", "complex_vector", (Z,), np.array([Z @ np.exp(-2j * math.pi * np.arange(3) * k / 3) for k in range(3)])),
    ("inv_fft", "complex_vector", (Z,), np.conj(np.fft.fft(np.conj(Z))) / 3),
    ("fft2", "complex_matrix", (ZZ,), np.fft.fft(np.fft.fft(ZZ).T).T),
    ("inv_fft2", "complex_matrix", (ZZ,), np.fft.ifft(np.fft.ifft(ZZ).T).T),
]  # fmt: skip


def assert_same(found, expected):
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, 1e-11, 1e-14), found, expected)


@pytest.mark.parametrize("case", CLOSED_FORMS, ids=lambda case: f"{case[0]}({case[1]})")
def test_closed_forms(case):
    name, words, arguments, expected = case
    types = tuple(read_type(word.replace("]", "] ")) for word in words.split())
    for form in forms(FUNCTIONS[name]):
        found = form(types, *arguments) if FUNCTIONS[name].typed else form(*arguments)
        assert jax.tree.map(np.shape, found) == jax.tree.map(np.shape, expected)
        assert_same(found, expected)


PARTS = {  # of the functions that return tuples
    "svd": ("svd_U", "singular_values", "svd_V"),
    "qr": ("qr_Q", "qr_R"),
    "qr_thin": ("qr_thin_Q", "qr_thin_R"),
    "eigendecompose_sym": ("eigenvectors_sym", "eigenvalues_sym"),
    "eigendecompose": ("eigenvectors", "eigenvalues"),
    "complex_schur_decompose": ("complex_schur_decompose_u", "complex_schur_decompose_t"),
    "csr_extract": ("csr_extract_w", "csr_extract_v", "csr_extract_u"),
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("form", [0, 1])
def test_factors_multiply_to_the_matrix(name, form):
    matrix = {"eigendecompose_sym": SPD, "svd": B, "qr": B, "qr_thin": B, "csr_extract": CSR}.get(name, A)
    parts = forms(FUNCTIONS[name])[form](matrix)
    for part, part_name in zip(parts, PARTS[name], strict=True):
        np.testing.assert_allclose(forms(FUNCTIONS[part_name])[form](matrix), part, atol=1e-13)
    if name == "csr_extract":
        return
    first, second = parts[0], parts[1]
    products = {
        "svd": lambda: first * second @ parts[2].T,
        "qr": lambda: first @ second,
        "qr_thin": lambda: first @ second,
        "eigendecompose_sym": lambda: first * second @ first.T,
        "eigendecompose": lambda: first * second @ np.linalg.inv(first),
        "complex_schur_decompose": lambda: first @ second @ np.conj(first).T,
    }
    np.testing.assert_allclose(products[name](), matrix, atol=1e-12)
    if name.startswith("qr"):
        assert np.all(np.diagonal(second) >= 0)
        assert first.shape == ((3, 3) if name == "qr" else (3, 2))
        np.testing.assert_allclose(first.T @ first, np.eye(first.shape[1]), atol=1e-14)


def test_every_function_has_a_case():
    covered = {case["name"] for case in REFERENCES} | {case[0] for case in CLOSED_FORMS}
    covered |= set(PARTS).union(*PARTS.values(), HYPERGEOMETRIC, FIRST_PASSAGE)
    assert set(FUNCTIONS) - covered == set()


# ---- operators

REAL, INT = Type("real"), Type("int")
VECTOR, ROW, MATRIX = Type("vector"), Type("row_vector"), Type("matrix")
OPERATIONS = [
    ("+", (INT, INT), (2, 3), 5),
    ("-", (VECTOR, REAL), (V, 1.0), V - 1),
    ("*", (VECTOR, ROW), (V, W), np.outer(V, W)),
    ("*", (ROW, VECTOR), (V, W), V @ W),
    ("*", (MATRIX, VECTOR), (A, V), A @ V),
    ("*", (ROW, MATRIX), (V, A), V @ A),
    ("*", (MATRIX, MATRIX), (A, B), A @ B),
    ("*", (VECTOR, MATRIX), (V, W[None]), np.outer(V, W)),
    ("*", (INT, MATRIX), (2, A), 2 * A),
    ("/", (INT, INT), (-7, 2), -3),
    ("/", (REAL, INT), (-7.0, 2), -3.5),
    ("/", (VECTOR, REAL), (V, 2.0), V / 2),
    ("/", (ROW, MATRIX), (V, A), V @ np.linalg.inv(A)),
    ("/", (MATRIX, MATRIX), (B.T, A), B.T @ np.linalg.inv(A)),
    ("/", (REAL, REAL), (1.0, 0.0), np.inf),
    ("\\", (MATRIX, VECTOR), (A, V), np.linalg.inv(A) @ V),
    ("%/%", (INT, INT), (-7, 2), -3),
    ("%", (INT, INT), (-7, 2), -1),
    ("^", (INT, INT), (2, -1), 0.5),
    ("^", (REAL, REAL), (0.0, -1.0), np.inf),
    ("^", (VECTOR, INT), (V, 2), V**2),
    (".^", (REAL, VECTOR), (2.0, V), 2**V),
    (".*", (VECTOR, VECTOR), (V, W), V * W),
    ("./", (VECTOR, VECTOR), (V, W), V / W),
    ("./", (INT, INT), (7, -2), -3),
    ("==", (INT, REAL), (1, 1.0), 1),
    ("!=", (INT, INT), (1, 1), 0),
    ("<", (REAL, REAL), (1.0, 2.0), 1),
    ("<=", (REAL, REAL), (2.0, 2.0), 1),
    (">", (REAL, REAL), (1.0, 2.0), 0),
    (">=", (REAL, REAL), (2.0, np.nan), 0),
    ("&&", (INT, INT), (2, 0), 0),
    ("&&", (INT, INT), (2, 1), 1),
    ("||", (INT, REAL), (0, 0.5), 1),
    ("!", (REAL,), (0.5,), 0),
    ("u-", (VECTOR,), (V,), -V),
    ("u+", (VECTOR,), (V,), V),
    ("'", (MATRIX,), (B,), B.T),
    ("'", (ROW,), (V,), V),
]


@pytest.mark.parametrize("case", OPERATIONS, ids=lambda case: f"{case[0]}({', '.join(map(str, case[1]))})")
def test_operators(case):
    symbol, types, arguments, expected = case
    for form in forms(OPERATORS[symbol]):
        found = form(types, *arguments) if OPERATORS[symbol].typed else form(*arguments)
        np.testing.assert_allclose(found, expected, 1e-13)
        assert np.asarray(found).dtype.kind == np.asarray(expected).dtype.kind


def test_every_operator_has_a_case():
    assert set(OPERATORS) == {case[0] for case in OPERATIONS}


def test_integer_division_truncates_everywhere():
    pairs = list(itertools.product([-7, -6, -1, 0, 1, 6, 7], [-3, -2, -1, 1, 2, 3]))
    x, y = np.array(pairs).T
    quotients, remainders = [int(a / b) for a, b in pairs], [int(math.fmod(a, b)) for a, b in pairs]
    for form in forms(OPERATORS["%/%"]):
        np.testing.assert_array_equal(form(x, y), quotients)
    for form in forms(OPERATORS["%"]):
        np.testing.assert_array_equal(form(x, y), remainders)
    assert [OPERATORS["%/%"].numpy(a, b) for a, b in pairs] == quotients
    with pytest.raises(ValueError, match="division by zero"):
        OPERATORS["%/%"].numpy(1, 0)


# ---- derivatives and lanes

# Those whose derivative does not exist or belongs to what cannot depend on parameters
WITHOUT_DERIVATIVE = {
    "qr_Q", "qr_R", "csr_extract", "csr_extract_w", "csr_extract_u", "csr_extract_v", "quantile", "eigenvectors_sym",
}  # fmt: skip
MILD = {  # where the last reference is too extreme for finite differences
    "lambert_wm1": (-0.2,),
    "lambert_w0": (0.7,),
    "log1m_exp": (-0.7,),
    "log_mix": (0.3, -1.0, -2.0),
    "log_modified_bessel_first_kind": (16.0, 51.0),
    "std_normal_log_qf": (-7.0,),
}
EPSILON = 1e-6


def differentiable(types, case):
    """Whether an argument and the value are real."""
    reals = any(type_.base != "int" for type_ in types)
    return case["name"] not in WITHOUT_DERIVATIVE and reals and np.asarray(case["value"]).dtype.kind == "f"


def derivative_cases():
    """One case for each function: types and arguments."""
    cases = {}
    for name, types, group in grouped(REFERENCES):
        case = group[len(group) // 2]
        if differentiable(types, case):
            arguments = MILD.get(name, case["arguments"])
            cases[name] = cases[name] if name in MILD and name in cases else (types, arguments)
    return cases


DERIVATIVE_CASES = derivative_cases()


def lanes_and_derivative(name, steps):
    """Values at points of a line, as lanes of a vmap, and the derivative along the line, weighted."""
    function, (types, arguments) = FUNCTIONS[name], DERIVATIVE_CASES[name]
    values = [value_of(type_, value) for type_, value in zip(types, arguments, strict=True)]
    reals = [i for i, type_ in enumerate(types) if type_.base != "int"]
    generator = np.random.default_rng(3)
    directions = [_direction(generator, np.asarray(values[i])) for i in reals]

    def along(step):
        filled = list(values)
        for i, direction in zip(reals, directions, strict=True):
            filled[i] = values[i] + step * direction
        result = function.evaluate(types, *filled) if function.typed else function.evaluate(*filled)
        return jnp.sum(result * np.random.default_rng(5).normal(size=result.shape))

    return jax.vmap(jax.value_and_grad(along))(steps)


def _direction(generator, value):
    """A random direction; of symmetric matrices to symmetric ones, as some functions read one triangle only."""
    direction = generator.normal(size=value.shape)
    is_symmetric = value.ndim == 2 and value.shape[0] == value.shape[1] and np.array_equal(value, value.T)
    return direction + direction.T if is_symmetric else direction


# long series, iterations and factorisations, whose derivatives take half a minute to compile
HEAVY = {*GAMMA_FUNCTIONS, *SPECIAL, *BESSEL, *LINEAR_ALGEBRA} & set(DERIVATIVE_CASES)


@cache
def derivatives(heavy):
    """Of half of the functions in one program, as compiling each by itself takes a minute."""
    names = [name for name in DERIVATIVE_CASES if (name in HEAVY) == heavy]
    steps = jnp.array([-EPSILON, 0.0, EPSILON])
    program = jax.jit(lambda steps: {name: lanes_and_derivative(name, steps) for name in names})
    quickly = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    return program.lower(steps).compile(compiler_options=quickly)(steps)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in DERIVATIVE_CASES]
)
def test_derivatives_are_those_of_differences(name):
    values, slopes = derivatives(name in HEAVY)[name]
    difference = (values[2] - values[0]) / (2 * EPSILON)
    noise = 1e-15 * abs(values[1]) / EPSILON
    np.testing.assert_allclose(slopes[1], difference, rtol=1e-5, atol=1e-7 + 10 * noise)
