"""Sizes that the arguments of the library's functions and densities need: one table, and our words where they differ.

A line of the table gives each argument its name and the sizes of one instance; equal letters are equal sizes. Whatever
stands in front of these sizes are arrays that a density is vectorised over. An argument may have fewer axes: the last
ones are missing behind `?` (a number in place of a vector), the first ones behind `~` (a row in place of a matrix).

Source: Stan functions reference; the checks of Stan's mathematical library (`check_size_match`, `check_square`,
`check_multiplicable`, `check_consistent_sizes`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pathfinder.stan._types.types import Type


_SQUARE = "A[n,n]"

_DENSITIES = {
    "multi_normal": "y[n] mu[n] Sigma[n,n]",
    "multi_normal_prec": "y[n] mu[n] Omega[n,n]",
    "multi_normal_cholesky": "y[n] mu[n] L[n,n]",
    "multi_student_t": "y[n] nu mu[n] Sigma[n,n]",
    "multi_student_t_cholesky": "y[n] nu mu[n] L[n,n]",
    "multi_gp": "y[d,n] Sigma[n,n] w[d]",
    "multi_gp_cholesky": "y[d,n] L[n,n] w[d]",
    "gaussian_dlm_obs": "y[r,t] F[n,r] G[n,n] V[r,r]~ W[n,n] m0[n] C0[n,n]",
    "wishart": "W[k,k] nu Sigma[k,k]",
    "wishart_cholesky": "L_W[k,k] nu L_S[k,k]",
    "inv_wishart": "W[k,k] nu Sigma[k,k]",
    "inv_wishart_cholesky": "L_W[k,k] nu L_S[k,k]",
    "lkj_corr": "Omega[k,k] eta",
    "lkj_corr_cholesky": "L[k,k] eta",
    "lkj_cov": "W[k,k] mu[k] sigma[k] eta",
    "dirichlet": "theta[k] alpha[k]",
    "dirichlet_multinomial": "y[k] alpha[k]",
    "multinomial": "y[k] theta[k]",
    "multinomial_logit": "y[k] gamma[k]",
    "bernoulli_logit_glm": "y[n]? x[n,k]~ alpha[n]? beta[k]",
    "binomial_logit_glm": "y[n]? N[n]? x[n,k]~ alpha[n]? beta[k]",
    "poisson_log_glm": "y[n]? x[n,k]~ alpha[n]? beta[k]",
    "neg_binomial_2_log_glm": "y[n]? x[n,k]~ alpha[n]? beta[k] phi[n]?",
    "normal_id_glm": "y[n]? x[n,k]~ alpha[n]? beta[k] sigma[n]?",
    "ordered_logistic_glm": "y[n]? x[n,k]~ beta[k] c[m]",
    "categorical_logit_glm": "y[n]? x[n,k]~ alpha[c] beta[k,c]",
    "ordered_logistic": "k[n]? eta[n]? c[m]",
    "ordered_probit": "k[n]? eta[n]? c[m]",
    "hmm_marginal": "log_omega[k,t] Gamma[k,k] rho[k]",
    "hmm_latent": "log_omega[k,t] Gamma[k,k] rho[k]",
    "hmm_hidden_state_prob": "log_omega[k,t] Gamma[k,k] rho[k]",
}

_SOLVE_LEFT = {name: "A[n,n] b[n,m]?" for name in ("mdivide_left", "mdivide_left_spd", "mdivide_left_tri_low", "\\")}
_SOLVE_RIGHT = {name: "b[m,n]~ A[n,n]" for name in ("mdivide_right", "mdivide_right_spd", "mdivide_right_tri_low", "/")}
_OF_SQUARE = dict.fromkeys(
    (
        *("cholesky_decompose", "inverse", "inverse_spd", "chol2inv", "determinant", "log_determinant"),
        *("log_determinant_spd", "eigenvalues_sym", "eigenvectors_sym", "eigendecompose_sym", "eigenvalues"),
        *("eigenvectors", "eigendecompose", "complex_schur_decompose", "complex_schur_decompose_u"),
        *("complex_schur_decompose_t", "matrix_exp", "matrix_power", "symmetrize_from_lower_tri"),
    ),
    _SQUARE,
)
_OF_TWO_ALIKE = dict.fromkeys(
    (*("dot_product", "columns_dot_product", "rows_dot_product", "distance", "squared_distance"),),
    "x[n,m]? y[n,m]?",
)

_FUNCTIONS = {
    **_OF_SQUARE,
    **_OF_TWO_ALIKE,
    **_SOLVE_LEFT,
    **_SOLVE_RIGHT,
    "log_mix": "theta[k] lp[k]",
    "quad_form": "A[n,n] B[n,m]?",
    "quad_form_sym": "A[n,n] B[n,m]?",
    "quad_form_diag": "m[n,n] v[n]",
    "trace_quad_form": "A[n,n] B[n,m]?",
    "trace_gen_quad_form": "D[m,m] A[n,n] B[n,m]",
    "diag_pre_multiply": "v[n] m[n,k]",
    "diag_post_multiply": "m[k,n] v[n]",
    "matrix_exp_multiply": "A[n,n] B[n,m]",
    "scale_matrix_exp_multiply": "t A[n,n] B[n,m]",
    "csr_matrix_times_vector": "m n w[z] v[z] u[r] b[c]",
    "csr_to_dense_matrix": "m n w[z] v[z] u[r]",
}
SIZES = {**_DENSITIES, **_FUNCTIONS}


@dataclass(frozen=True)
class _Argument:
    name: str
    sizes: tuple[str, ...]
    fewer: str  # "?" if the last axes may be missing, "~" if the first ones, "" if none may


@cache
def _arguments(line: str) -> tuple[_Argument, ...]:
    parsed = [re.fullmatch(r"(\w+)(?:\[([\w,]+)\])?([?~]?)", word) for word in line.split()]
    return tuple(
        _Argument(found[1], tuple(found[2].split(",")) if found[2] else (), found[3]) for found in parsed if found
    )


class SizeError(ValueError):
    """Sizes of arguments that do not fit, in words of ours."""


def check_argument_sizes(name: str, shapes: Sequence[tuple[int, ...]], *, skip: int = 0) -> None:
    """Check the sizes of the arguments of a function of the table; others are not checked.

    Args:
        name: The function; of a density its name without suffix.
        shapes: Shapes of the arguments, without lanes.
        skip: How many arguments of the line are not given, from the first on: the outcome, for random numbers.

    Raises:
        SizeError: If they do not fit each other.
    """
    line = SIZES.get(name)
    if line is None:
        return
    bound: dict[str, tuple[int, str]] = {}
    around: tuple[tuple[int, ...], str] | None = None
    for argument, shape in zip(_arguments(line)[skip:], shapes, strict=False):
        extra, own, letters = _instance(argument, shape)
        if extra:
            if around is not None and around[0] != extra:
                raise SizeError(
                    f"`{name}` goes over arrays of different sizes: `{around[1]}` has {_words(around[0])} elements, "
                    f"`{argument.name}` {_words(extra)}"
                )
            around = (extra, argument.name)
        expected = tuple(bound.get(letter, (size, ""))[0] for letter, size in zip(letters, own, strict=True))
        if expected != own:
            others = [bound[letter][1] for letter in letters if letter in bound]
            raise SizeError(_difference(name, argument.name, own, expected, shapes, line, skip, others))
        for letter, size in zip(letters, own, strict=True):
            known = bound.setdefault(letter, (size, argument.name))
            if known[0] != size:
                raise SizeError(f"`{argument.name}` of `{name}` must be square, but is {_words(own)}")


def _instance(argument: _Argument, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    """Sizes of the arrays around one instance, those of the instance, and their letters in the table."""
    letters = argument.sizes
    missing = len(letters) - len(shape)
    if missing > 0:
        letters = letters[missing:] if argument.fewer == "~" else letters[: len(shape)]
        return (), shape, letters
    split = len(shape) - len(letters)
    return shape[:split], shape[split:], letters


def _difference(
    name: str,
    argument: str,
    found: tuple[int, ...],
    expected: tuple[int, ...],
    shapes: Sequence[tuple[int, ...]],
    line: str,
    skip: int,
    others: Sequence[str],
) -> str:
    by_name = {each.name: shape for each, shape in zip(_arguments(line)[skip:], shapes, strict=False)}
    given = " and ".join(f"`{other}` of size {_words(by_name[other])}" for other in dict.fromkeys(others))
    return f"`{argument}` of `{name}` has size {_words(found)}, but {_words(expected)} is needed beside {given}"


def check_equal_sizes(name: str, types: Sequence[Type], shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that all containers among the arguments of a vectorised function have equal sizes.

    Args:
        name: The function, or "" if that is not known.
        types: Types of the arguments.
        shapes: Their shapes, without lanes.

    Raises:
        SizeError: If they differ.
    """
    sizes = [shape for shape in shapes if shape]
    if any(size != sizes[0] for size in sizes):
        given = ", ".join(
            f"{type_} of size {_words(shape)}" if shape else str(type_)
            for type_, shape in zip(types, shapes, strict=True)
        )
        raise SizeError(f"the arguments{f' of `{name}`' if name else ''} have different sizes: {given}")


def check_product_sizes(types: Sequence[Type], shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that two operands of `*`, none of them a number, can be multiplied.

    Raises:
        SizeError: If the first has not as many columns as the second has rows.
    """
    columns = 1 if types[0].base.endswith("vector") and "row" not in types[0].base else shapes[0][-1]
    rows = 1 if types[1].base.endswith("row_vector") else shapes[1][0]
    if columns != rows:
        raise SizeError(
            f"the operands of `*` do not fit: {types[0]} of size {_words(shapes[0])} has {columns} "
            f"column{'s' * (columns != 1)}, {types[1]} of size {_words(shapes[1])} has {rows} row{'s' * (rows != 1)}"
        )


def check_joined_sizes(name: str, types: Sequence[Type], shapes: Sequence[tuple[int, ...]]) -> None:
    """Check what `append_row` and `append_col` put under or beside each other.

    Raises:
        SizeError: If the sizes across differ.
    """
    line = "row_vector" if name == "append_row" else "vector"
    if not any("matrix" in type_.base for type_ in types):
        is_stacked = [type_.base.removeprefix("complex_") == line for type_ in types]
        if not all(is_stacked):
            return
    across = [shape[-1] if name == "append_row" else shape[0] for shape in shapes]
    if across[0] != across[1]:
        what = "columns" if name == "append_row" else "rows"
        raise SizeError(
            f"the arguments of `{name}` have different numbers of {what}: {types[0]} of size {_words(shapes[0])}, "
            f"{types[1]} of size {_words(shapes[1])}"
        )


def check_coordinates(name: str, types: Sequence[Type], shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that all points of a covariance function, and its length scales, have as many coordinates.

    Raises:
        SizeError: If they differ.
    """
    points = [shape for type_, shape in zip(types, shapes, strict=True) if type_.dims]
    if types[0].base == "real":  # points are numbers, and an array behind the second one holds length scales
        num_points, coordinates = 1 + (types[1].dims > 0), 1
    else:
        num_points, coordinates = sum(type_.base == types[0].base for type_ in types[:2]), points[0][1]
    found = [shape[-1] for shape in points[1:num_points]] if types[0].base != "real" else []
    found += [shape[0] for shape in points[num_points:]]
    if any(number != coordinates for number in found):
        given = ", ".join(
            f"{type_} of size {_words(shape)}" for type_, shape in zip(types, shapes, strict=True) if shape
        )
        raise SizeError(f"points and length scales of `{name}` have different numbers of coordinates: {given}")


def check_sizes(name: str, types: Sequence[Type], shapes: Sequence[tuple[int, ...]]) -> None:
    """Check the sizes of the arguments of a function or an operator that is not vectorised.

    Raises:
        SizeError: If they do not fit each other.
    """
    if name == "*" or name == "multiply":
        if all(shapes):
            check_product_sizes(types, shapes)
    elif name in ("append_row", "append_col"):
        if all(shapes):
            check_joined_sizes(name, types, shapes)
    elif name == "append_array":
        if all(shapes) and shapes[0][1:] != shapes[1][1:]:
            raise SizeError(
                f"the elements of the arguments of `append_array` have different sizes: {types[0]} of size "
                f"{_words(shapes[0])}, {types[1]} of size {_words(shapes[1])}"
            )
    elif name == "add_diag":
        if shapes[1] and shapes[1][0] != min(shapes[0]):
            raise SizeError(
                f"the diagonal of {types[0]} of size {_words(shapes[0])} has {min(shapes[0])} elements, but `add_diag` "
                f"is given {types[1]} of size {_words(shapes[1])}"
            )
    elif name.startswith("gp_") or name == "cov_exp_quad":
        check_coordinates(name, types, shapes)
    else:
        check_argument_sizes(name, shapes)


def _words(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) if shape else "1"
