"""Signatures of the mathematical functions.

Source: `stanc --dump-stan-math-signatures` of Stan 2.35, and stanc 2.40's own messages for what came after it. The
names of a family of functions with equal signatures stand in one key.
"""

from collections.abc import Callable, Mapping

from pathfinder.stan._types.signature import (
    BASES,
    MAX_DIMS,
    Signature,
    binary,
    binary_complex,
    binary_int,
    binary_int_real,
    binary_real,
    binary_real_int,
    first_decides,
    for_each_type,
    row,
    rows,
    rows_in_arrays,
    unary,
    unary_complex,
    unary_kept,
)
from pathfinder.stan._types.types import Type


_ELEMENTWISE_UNARY = (
    "Phi Phi_approx cbrt ceil digamma erf erfc exp2 expm1 floor inv inv_Phi inv_cloglog inv_erfc inv_logit inv_sqrt "
    "inv_square lambert_w0 lambert_wm1 lgamma log1m log1m_exp log1m_inv_logit log1p log1p_exp log_inv_logit logit "
    "round square std_normal_log_qf std_normal_qf tgamma trigamma trunc"
)
_ELEMENTWISE_UNARY_OR_COMPLEX = "acos acosh asin asinh atan atanh cos cosh exp log sin sinh sqrt tan tanh"
_ELEMENTWISE_BINARY = (
    "atan2 beta fdim fmax fmin fmod hypot lbeta lchoose lmultiply log_diff_exp log_falling_factorial "
    "log_inv_logit_diff log_modified_bessel_first_kind log_rising_factorial"
)
_ELEMENTWISE_INT_REAL = (
    "bessel_first_kind bessel_second_kind binary_log_loss lmgamma modified_bessel_first_kind "
    "modified_bessel_second_kind"
)

_CHANGE_OF_VARIABLES = {  # each with `_constrain`, `_jacobian` and `_unconstrain`
    "ordered positive_ordered simplex unit_vector": ("(N vector) => N vector", "(N vector) => N vector"),
    "stochastic_column stochastic_row": ("(N matrix) => N matrix", "(N matrix) => N matrix"),
    "corr_matrix cov_matrix cholesky_factor_corr": ("(N vector, int) => N matrix", "(N matrix) => N vector"),
    "cholesky_factor_cov": ("(N vector, int, int) => N matrix", "(N matrix) => N vector"),
}
_BOUNDS = {"lower_bound": 2, "upper_bound": 2, "lower_upper_bound": 3, "offset_multiplier": 3}

_GP_COVARIANCE = """
(array[] real, real, real) => matrix
(array[] real, array[] real, real, real) => matrix
(array[] vector, real, real | array[] real) => matrix
(array[] vector, array[] vector, real, real | array[] real) => matrix
"""
_SAME_SHAPE_OR_SCALAR = """
(#vector, #vector | #real) => #vector
(#row_vector, #row_vector | #real) => #row_vector
(#matrix, #matrix | #real) => #matrix
(#real, #vector) => #vector
(#real, #row_vector) => #row_vector
(#real, #matrix) => #matrix
(#real, #real) => #real
(int, int) => int
"""
_PIECE = """
(#vector, int{0}) => #vector
(#row_vector, int{0}) => #row_vector
"""

_EXPLICIT = {
    "e machine_precision negative_infinity not_a_number pi positive_infinity sqrt2 log2 log10": "() => real",
    "chol2inv cholesky_decompose crossprod generalized_inverse inverse inverse_spd matrix_exp qr_Q qr_R qr_thin_Q "
    "qr_thin_R tcrossprod multiply_lower_tri_self_transpose": "(matrix) => matrix",
    "determinant log_determinant log_determinant_spd": "(matrix) => real",
    "qr qr_thin": "(matrix) => tuple(matrix, matrix)",
    "eigenvectors_sym svd_U svd_V symmetrize_from_lower_tri": "(#matrix) => #matrix",
    "eigenvectors complex_schur_decompose_t complex_schur_decompose_u": "(matrix | complex_matrix) => complex_matrix",
    "complex_schur_decompose": "(matrix | complex_matrix) => tuple(complex_matrix, complex_matrix)",
    "eigendecompose": "(matrix | complex_matrix) => tuple(complex_matrix, complex_vector)",
    "eigendecompose_sym": "(#matrix) => tuple(#matrix, #vector)",
    "eigenvalues": "(matrix | complex_matrix) => complex_vector",
    "eigenvalues_sym diagonal": "(#matrix) => #vector",
    "singular_values": "(matrix | complex_matrix) => vector",
    "svd": "(#matrix) => tuple(#matrix, vector, #matrix)",
    "fft inv_fft": "(complex_vector) => complex_vector",
    "fft2 inv_fft2": "(complex_matrix) => complex_matrix",
    "matrix_power": "(matrix, int) => matrix",
    "matrix_exp_multiply": "(matrix, matrix) => matrix",
    "scale_matrix_exp_multiply": "(real, matrix, matrix) => matrix",
    "mdivide_left mdivide_left_spd mdivide_left_tri_low": "(matrix, matrix) => matrix\n(matrix, vector) => vector",
    "mdivide_right_spd mdivide_right_tri_low": "(matrix, matrix) => matrix\n(row_vector, matrix) => row_vector",
    "mdivide_right": "(#matrix, #matrix) => #matrix\n(#row_vector, #matrix) => #row_vector",
    "quad_form quad_form_sym": "(matrix, matrix) => matrix\n(matrix, vector) => real",
    "quad_form_diag": "(matrix, vector | row_vector) => matrix",
    "trace": "(#matrix) => #real",
    "trace_quad_form": "(matrix, matrix | vector) => real",
    "trace_gen_quad_form": "(matrix, matrix, matrix) => real",
    "trace_dot": "(matrix, matrix) => real",
    "transpose": "(#matrix) => #matrix\n(#vector) => #row_vector\n(#row_vector) => #vector",
    "add_diag": "(#matrix, #real | #vector | #row_vector) => #matrix",
    "diag_matrix": "(#vector) => #matrix",
    "diag_post_multiply": "(#matrix, #vector | #row_vector) => #matrix",
    "diag_pre_multiply": "(#vector | #row_vector, #matrix) => #matrix",
    "identity_matrix": "(int) => matrix",
    "add subtract elt_multiply elt_divide": _SAME_SHAPE_OR_SCALAR,
    "multiply": """
        (#matrix, #matrix) => #matrix
        (#matrix, #vector) => #vector
        (#row_vector, #matrix) => #row_vector
        (#row_vector, #vector) => #real
        (#vector, #row_vector) => #matrix
        (#vector, #real) => #vector
        (#row_vector, #real) => #row_vector
        (#matrix, #real) => #matrix
        (#real, #vector) => #vector
        (#real, #row_vector) => #row_vector
        (#real, #matrix) => #matrix
        (#real, #real) => #real
        (int, int) => int""",
    "divide": """
        (#vector, #real) => #vector
        (#row_vector, #real) => #row_vector
        (#matrix, #real) => #matrix
        (#real, #vector) => #vector
        (#real, #row_vector) => #row_vector
        (#real, #matrix) => #matrix
        (#real, #real) => #real
        (int, int) => int""",
    "plus": "\n".join(f"({kind}) => {kind}" for kind in BASES[:6]),
    "logical_gt logical_gte logical_lt logical_lte": "(int | real, int | real) => int",
    "logical_eq logical_neq": "(int | real, int | real) => int\n(complex, complex | real) => int",
    "logical_and logical_or modulus": "(int, int) => int",
    "logical_negation": "(int) => int",
    "is_inf is_nan": "(real) => int",
    "int_step": "(int | real) => int",
    "step": "(real) => real",
    "arg norm": "(complex) => real",
    "proj": "(complex) => complex",
    "polar": "(real, real) => complex",
    "inc_beta inv_inc_beta": "(real, real, real) => real",
    "hypergeometric_1F0": "(real, real) => real",
    "hypergeometric_2F1": "(real, real, real, real) => real",
    "hypergeometric_3F2 hypergeometric_pFq": ("(containers, containers, real) => real"),
    "student_t_qf": """
        (real, real, real, real) => real
        (containers, reals, reals, reals) => vector
        (real, containers, reals, reals) => vector
        (real, real, containers, reals) => vector
        (real, real, real, containers) => vector""",
    "csr_extract": "(matrix) => tuple(vector, array[] int, array[] int)",
    "csr_extract_u csr_extract_v": "(matrix) => array[] int",
    "csr_extract_w": "(matrix) => vector",
    "csr_matrix_times_vector": "(int, int, vector, array[] int, array[] int, vector) => vector",
    "csr_to_dense_matrix": "(int, int, vector, array[] int, array[] int) => matrix",
    "gp_exp_quad_cov gp_exponential_cov gp_matern32_cov gp_matern52_cov": _GP_COVARIANCE,
    "gp_dot_prod_cov": """
        (array[] real, real) => matrix
        (array[] real, array[] real, real) => matrix
        (array[] vector, real) => matrix
        (array[] vector, array[] vector, real) => matrix""",
    "gp_periodic_cov": """
        (array[] real, real, real, real) => matrix
        (array[] real, array[] real, real, real, real) => matrix
        (array[] vector, real, real, real) => matrix
        (array[] vector, array[] vector, real, real, real) => matrix""",
    "hmm_hidden_state_prob": "(data matrix, data matrix, data vector) => matrix",
    "hmm_marginal": "(matrix, matrix, vector) => real",
    "mean sd variance": "(array[] real | vector | row_vector | matrix) => real",
    "norm1 norm2": "(containers) => real",
    "max min": """
        (array[] real | vector | row_vector | matrix) => real
        (array[] int) => int
        (int, int) => int""",
    "sum prod": "(array[] #real | #vector | #row_vector | #matrix) => #real\n(array[] int) => int",
    "log_sum_exp": "(array[] real | vector | row_vector | matrix) => real",
    "log_mix": """
        (real, real, real) => real
        (containers, containers | array[] vector | array[] row_vector) => real""",
    "cumulative_sum": """
        (array[] int) => array[] int
        (array[] #real) => array[] #real
        (#vector) => #vector
        (#row_vector) => #row_vector""",
    "quantile": """
        (data containers, data real) => real
        (data containers, data array[] real) => array[] real""",
    "rank": "(array[] int | array[] real | vector | row_vector, int) => int",
    "sort_asc sort_desc": "\n".join(
        f"({kind}) => {kind}" for kind in ("array[] int", "array[] real", "vector", "row_vector")
    ),
    "sort_indices_asc sort_indices_desc": "(array[] int | array[] real | vector | row_vector) => array[] int",
    "distance": "(vector | row_vector, vector | row_vector) => real",
    "squared_distance": "(vector | row_vector, vector | row_vector) => real\n(real, real) => real",
    "dot_product": "(#vector | #row_vector, #vector | #row_vector) => #real\n(array[] #real, array[] #real) => #real",
    "dot_self": "(#vector | #row_vector) => #real",
    "columns_dot_product": """
        (#matrix, #matrix) => #row_vector
        (#vector, #vector) => #row_vector
        (#row_vector, #row_vector) => #row_vector""",
    "rows_dot_product": """
        (#matrix, #matrix) => #vector
        (#vector, #vector) => #vector
        (#row_vector, #row_vector) => #vector""",
    "columns_dot_self": "(#matrix | #vector | #row_vector) => #row_vector",
    "rows_dot_self": "(#matrix | #vector | #row_vector) => #vector",
    "cols rows": "(#matrix | #vector | #row_vector) => int",
    "block": "(#matrix, int, int, int, int) => #matrix",
    "col": "(#matrix, int) => #vector",
    "row": "(#matrix, int) => #row_vector",
    "sub_col": "(#matrix, int, int, int) => #vector",
    "sub_row": "(#matrix, int, int, int) => #row_vector",
    "head tail": _PIECE.format(""),
    "segment": _PIECE.format(", int"),
    "reverse": "(#vector) => #vector\n(#row_vector) => #row_vector",
    "append_col": """
        (#matrix | #vector, #matrix | #vector) => #matrix
        (#row_vector, #row_vector) => #row_vector
        (#real, #row_vector) => #row_vector
        (#row_vector, #real) => #row_vector""",
    "append_row": """
        (#matrix | #row_vector, #matrix | #row_vector) => #matrix
        (#vector, #vector) => #vector
        (#real, #vector) => #vector
        (#vector, #real) => #vector""",
    "rep_matrix": "(#real, int, int) => #matrix\n(#vector | #row_vector, int) => #matrix",
    "rep_vector": "(#real, int) => #vector",
    "rep_row_vector": "(#real, int) => #row_vector",
    "ones_vector zeros_vector uniform_simplex": "(int) => vector",
    "ones_row_vector zeros_row_vector": "(int) => row_vector",
    "ones_array zeros_array": "(int) => array[] real",
    "ones_int_array zeros_int_array": "(int) => array[] int",
    "one_hot_array": "(int, int) => array[] real",
    "one_hot_int_array": "(int, int) => array[] int",
    "one_hot_vector": "(int, int) => vector",
    "one_hot_row_vector": "(int, int) => row_vector",
    "linspaced_array": "(data int, data real, data real) => array[] real",
    "linspaced_int_array": "(data int, data int, data int) => array[] int",
    "linspaced_vector": "(data int, data real, data real) => vector",
    "linspaced_row_vector": "(data int, data real, data real) => row_vector",
    "to_vector": "(#matrix | #vector | #row_vector | array[] #real) => #vector\n(array[] int) => vector",
    "to_row_vector": "(#matrix | #vector | #row_vector | array[] #real) => #row_vector\n(array[] int) => row_vector",
    "to_matrix": """
        (#matrix | #vector | #row_vector | array[] #vector | array[] #row_vector | array[,] #real) => #matrix
        (#matrix | #vector | #row_vector | array[] #real, int, int) => #matrix
        (#matrix | #vector | #row_vector | array[] #real, int, int, int) => #matrix
        (array[,] int) => matrix
        (array[] int, int, int) => matrix
        (array[] int, int, int, int) => matrix""",
    "to_array_1d": "(#matrix | #vector | #row_vector) => array[] #real",
    "to_array_2d": "(#matrix) => array[,] #real",
    "to_vector_array": "(#matrix) => array[] #vector",
    "to_row_vector_array": "(#matrix) => array[] #row_vector",
    "to_complex": "() => complex\n(real) => complex",
    "fma": "(real, real, real) => real\n"
    + "\n".join(
        f"({a}, {b}, {c}) => {kind}"
        for kind in ("vector", "row_vector", "matrix")
        for a in (kind, "real")
        for b in (kind, "real")
        for c in (kind, "real")
        if kind in (a, b, c)
    ),
    "acos acosh asin asinh atan atanh cos cosh exp log log10 sin sinh sqrt tan tanh": "(complex) => complex",
}


def _rep_array() -> tuple[Signature, ...]:
    return tuple(
        row(f"({kind}, {', '.join(['int'] * more)}) => {kind.array(more)}")
        for base in BASES
        for kind in (Type(base, dims) for dims in range(3))
        for more in range(1, 4)
    )


Expand = Callable[[], tuple[Signature, ...]]


def math_signatures() -> Mapping[str, list[Expand]]:
    """For each function what makes its signatures, which together are all of them."""
    found: dict[str, list[Expand]] = {}

    def add(names: str, expand: Expand) -> None:
        for name in names.split():
            found.setdefault(name, []).append(expand)

    add(_ELEMENTWISE_UNARY, unary)
    add(_ELEMENTWISE_UNARY_OR_COMPLEX + " log2 log10", unary)
    add(_ELEMENTWISE_BINARY + " pow log_sum_exp", binary)
    add(_ELEMENTWISE_INT_REAL, binary_int_real)
    add("gamma_p gamma_q owens_t", binary_real)
    add("abs minus", unary_kept)
    add("minus conj", lambda: unary_complex(to_real=False))
    add("abs get_real get_imag", lambda: unary_complex(to_real=True))
    add("pow", binary_complex)
    add("to_complex", lambda: binary_real(to_complex=True))
    add("choose falling_factorial rising_factorial", binary_int)
    add("falling_factorial rising_factorial ldexp", binary_real_int)
    for names, text in _EXPLICIT.items():
        add(names, lambda text=text: rows(text))
    arrays = range(1, MAX_DIMS + 1)
    add("append_array", lambda: for_each_type("(T, T) => T", arrays))
    add("reverse", lambda: for_each_type("(T) => T", arrays))
    add("head tail", lambda: for_each_type("(T, int) => T", range(1, 4)))
    add("segment", lambda: for_each_type("(T, int, int) => T", range(1, 4)))
    add("size", lambda: for_each_type("(T) => int", range(MAX_DIMS + 1)))
    add("dims", lambda: for_each_type("(T) => array[] int", range(1), BASES[:6]))
    add("dims", lambda: for_each_type("(T) => array[] int", range(1, MAX_DIMS + 2)))
    add("num_elements", lambda: rows("(#matrix | #vector | #row_vector) => int"))
    add("num_elements", lambda: for_each_type("(T) => int", range(1, MAX_DIMS + 3)))
    add("rep_array", _rep_array)
    add("log_softmax softmax", lambda: for_each_type("(T) => T", range(2), ("vector", "row_vector")))
    for kind in ("int", "real"):
        add("to_array_1d", lambda kind=kind: for_each_type(f"(T) => array[] {kind}", range(1, MAX_DIMS + 3), (kind,)))
    add("to_int", lambda: rows_in_arrays("(data N int) => N int") + rows_in_arrays("(data N real) => N int"))
    for names, (constrain, unconstrain) in _CHANGE_OF_VARIABLES.items():
        for name in names.split():
            add(f"{name}_constrain {name}_jacobian", lambda text=constrain: rows_in_arrays(text))
            add(f"{name}_unconstrain", lambda text=unconstrain: rows_in_arrays(text))
    for suffix in ("constrain", "jacobian", "unconstrain"):
        add(
            f"sum_to_zero_{suffix}",
            lambda: rows_in_arrays("(N vector) => N vector") + rows_in_arrays("(N matrix) => N matrix"),
        )
        for name, num_arguments in _BOUNDS.items():
            add(f"{name}_{suffix}", lambda num=num_arguments: first_decides(num))
    return found
