"""What Stan demands of the values of arguments where breaking it would leave the result finite.

A function of the library that is given such a value throws in Stan, so that the point is rejected, used or not. What
the densities test themselves (`densities/_validity.py`) gives NaN and is not repeated here. Sources: the checks in
`stan/math/prim`, with Stan's tolerance of 1e-8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._distribution_calls import CDF_SUFFIXES, DENSITY_SUFFIXES
from pathfinder.stan._lanes import Lanes, array_of, context_of, deepest, is_static, over_lanes
from pathfinder.stan._ragged import Ragged
from pathfinder.stan._run import Run, StanRejectError, here
from pathfinder.stan._syntax import Node


_SUFFIXES = (*DENSITY_SUFFIXES, *CDF_SUFFIXES, "rng")


@dataclass(frozen=True)
class Demand:
    """What a value has to be.

    Attributes:
        text: In words.
        holds: True for each element (of a vector), matrix or row that satisfies it; of NumPy's or JAX's module `xp`.
    """

    text: str
    holds: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Check:
    """A demand on one argument.

    Attributes:
        position: Of the argument; negative ones count from the last.
        what: What the argument is.
        demand: What it has to be.
    """

    position: int
    what: str
    demand: Demand


def _tolerance(xp: Any, a: Any) -> Any:
    """Stan's, and what rounding may leave of a product that is symmetric (or sums to one) in exact arithmetic."""
    eps = np.finfo(a.dtype).eps
    return max(1e-8, eps) + 64 * eps * xp.max(xp.abs(a), initial=0.0)


def _symmetric(xp: Any, a: Any) -> Any:
    return xp.all(xp.abs(a - xp.swapaxes(a, -1, -2)) <= _tolerance(xp, a))


def _lower(xp: Any, a: Any) -> Any:
    return xp.all(xp.triu(a, 1) == 0)


def _factor(xp: Any, a: Any) -> Any:
    return _lower(xp, a) & xp.all(xp.diagonal(a, axis1=-2, axis2=-1) > 0)


def _simplex(xp: Any, a: Any) -> Any:
    eps = np.finfo(a.dtype).eps
    return xp.all(a >= 0) & xp.all(xp.abs(xp.sum(a, axis=-1) - 1) <= max(1e-8, eps**0.5))


SYMMETRIC = Demand("symmetric", _symmetric)
LOWER = Demand("lower triangular", _lower)
FACTOR = Demand("lower triangular with a positive diagonal", _factor)
POSITIVE = Demand("positive and finite", lambda xp, a: (a > 0) & (a < np.inf))
NOT_NEGATIVE = Demand("zero or more, and finite", lambda xp, a: (a >= 0) & (a < np.inf))
PROBABILITY = Demand("between 0 and 1", lambda xp, a: (a >= 0) & (a <= 1))
SIMPLEX = Demand("a simplex (no element negative, sum 1)", _simplex)
SIMPLEX_ROWS = Demand("a simplex in every row (no element negative, sum 1)", _simplex)
SOME = Demand("not empty", lambda xp, a: np.size(a) > 0)


def _covariance(position: int, what: str = "the covariance matrix") -> Check:
    return Check(position, what, SYMMETRIC)


_MATRIX = Check(0, "the matrix", SYMMETRIC)
_KERNEL = (Check(-2, "the magnitude", POSITIVE), Check(-1, "the length scale", POSITIVE))
_COUNT = (Check(1, "the second argument", NOT_NEGATIVE),)
_CHAIN = (
    Check(-2, "the transition matrix", SIMPLEX_ROWS),
    Check(-1, "the initial state", SIMPLEX),
)

CHECKS: dict[str, tuple[Check, ...]] = {
    "multi_normal": (_covariance(-1),),
    "multi_normal_prec": (_covariance(-1, "the precision matrix"),),
    "multi_student_t": (_covariance(-1, "the scale matrix"),),
    "multi_student_t_cholesky": (Check(-1, "the Cholesky factor", FACTOR),),
    "multi_gp": (_covariance(1, "the kernel matrix"),),
    "wishart": (_covariance(0, "the outcome"), _covariance(-1, "the scale matrix")),
    "inv_wishart": (_covariance(0, "the outcome"), _covariance(-1, "the scale matrix")),
    "wishart_cholesky": (Check(0, "the outcome", FACTOR), Check(-1, "the scale factor", FACTOR)),
    "inv_wishart_cholesky": (Check(0, "the outcome", FACTOR), Check(-1, "the scale factor", FACTOR)),
    "lkj_corr": (_covariance(0, "the outcome"),),
    "lkj_cov": (_covariance(0, "the outcome"),),
    "lkj_corr_cholesky": (Check(0, "the outcome", LOWER),),
    "gaussian_dlm_obs": (
        _covariance(-4, "the observation covariance V"),
        _covariance(-3, "the system covariance W"),
        _covariance(-1, "the initial covariance C0"),
    ),
    "hmm_marginal": _CHAIN,
    "hmm_latent": _CHAIN,
    "hmm_hidden_state_prob": _CHAIN,
    "cholesky_decompose": (_MATRIX,),
    "inverse_spd": (_MATRIX,),
    "log_determinant_spd": (_MATRIX,),
    "mdivide_left_spd": (_MATRIX,),
    "mdivide_right_spd": (Check(1, "the matrix", SYMMETRIC),),
    "quad_form_sym": (_MATRIX,),
    "eigenvalues_sym": (_MATRIX,),
    "eigenvectors_sym": (_MATRIX,),
    "eigendecompose_sym": (_MATRIX,),
    "chol2inv": (Check(0, "the matrix", FACTOR),),
    "gp_exp_quad_cov": _KERNEL,
    "cov_exp_quad": _KERNEL,
    "gp_exponential_cov": _KERNEL,
    "gp_matern32_cov": _KERNEL,
    "gp_matern52_cov": _KERNEL,
    "gp_dot_prod_cov": (Check(-1, "the magnitude", NOT_NEGATIVE),),
    "gp_periodic_cov": (
        Check(-3, "the magnitude", POSITIVE),
        Check(-2, "the length scale", POSITIVE),
        Check(-1, "the period", POSITIVE),
    ),
    "log_mix": (Check(0, "the weights", PROBABILITY),),
    "falling_factorial": _COUNT,
    "rising_factorial": _COUNT,
    "mean": (Check(0, "the argument", SOME),),
    "sd": (Check(0, "the argument", SOME),),
    "variance": (Check(0, "the argument", SOME),),
}
_SPARSE = frozenset({"csr_matrix_times_vector", "csr_to_dense_matrix"})
_SAMPLERS = frozenset({"lkj_corr", "lkj_cov", "lkj_corr_cholesky"})  # what is checked is not given to them


def check_arguments(run: Run, name: str, values: Sequence[Any], node: Node) -> None:
    """Reject the point, in the lanes that run, unless the arguments of a call are as Stan demands.

    Args:
        run: The evaluation.
        name: The function, or the distribution, with or without a suffix.
        values: The arguments.
        node: The call, for its place.

    Raises:
        StanRejectError: If the values are known, the call is reached in any case, and they are not.
    """
    if name in _SPARSE and run.machine.context.size and all(map(_is_known, (*values[:2], *values[3:5]))):
        _check_sparse(run, name, values, node)
        return
    base, _, suffix = name.rpartition("_")
    stem = base if suffix in _SUFFIXES and base in CHECKS else name
    if stem not in CHECKS or not run.machine.context.size or (suffix == "rng" and stem in _SAMPLERS):
        return
    for check in CHECKS[stem]:
        place = check.position % len(values) if check.position < 0 else check.position
        if suffix == "rng" and place == 0 and check.position >= 0:
            continue  # the outcome
        value = values[place]
        if not isinstance(value, Ragged):
            _check(run, stem, check, place, value, node)


def _is_known(value: Any) -> bool:
    return is_static(value) and not isinstance(value, Ragged | Lanes)


def _check_sparse(run: Run, name: str, values: Sequence[Any], node: Node) -> None:
    """Whether what is stored of a sparse matrix lies in it: `values` are rows, columns, w, v, u."""
    rows, cols = int(values[0]), int(values[1])
    v, u = np.asarray(values[3]), np.asarray(values[4])
    stored = np.shape(values[2])[0]
    wrong = ""
    if len(v) != stored:
        wrong = f"w (argument 3) and v (argument 4) need equal sizes, but have {stored} and {len(v)}"
    elif len(u) != rows + 1:
        wrong = f"u (argument 5) needs {rows + 1} elements, one more than rows, but has {len(u)}"
    elif u[0] != 1 or np.any(np.diff(u) < 0) or u[-1] != stored + 1:
        wrong = f"u (argument 5) has to begin with 1, not to descend, and to end with {stored + 1}"
    elif np.any((v < 1) | (v > cols)):
        at = int(np.flatnonzero((v < 1) | (v > cols))[0])
        wrong = f"v (argument 4) has to lie between 1 and {cols}, but element {at + 1} is {v[at]}"
    elif len(values) > 5 and np.shape(array_of(values[5]))[-1] != cols:
        size = np.shape(array_of(values[5]))[-1]
        wrong = f"the vector (argument 6) needs {cols} elements, one for each column, but has {size}"
    if wrong and run.machine.mask is None and (run.on_data or run.machine.random_key is None):
        raise StanRejectError(f"`{name}`: {wrong}", node.span)
    run.machine.require(not wrong)


def _check(run: Run, name: str, check: Check, place: int, value: Any, node: Node) -> None:
    machine = run.machine
    value = here(run, value)
    context = deepest([context_of(value, machine.root)], machine.root)
    if is_static(value) and context.is_root:
        holds: Any = bool(np.all(check.demand.holds(np, np.asarray(value))))
    else:
        holds = over_lanes(lambda a: jnp.all(jnp.asarray(check.demand.holds(jnp, jnp.asarray(a)))), [value], context)
    # generated quantities of a draw that fail are NaN, as those of a draw that is rejected
    is_certain = machine.mask is None and (run.on_data or machine.random_key is None)
    if is_certain and is_static(holds) and not np.all(array_of(holds)):
        raise StanRejectError(
            f"`{name}`: {check.what} (argument {place + 1}) has to be {check.demand.text}"
            f"{_found(check.demand, array_of(value))}",
            node.span,
        )
    machine.require(holds)


def _found(demand: Demand, value: Any) -> str:
    """The first thing that is wrong with a value, in words."""
    array = np.asarray(value)
    if demand is SYMMETRIC:
        swapped = np.swapaxes(array, -1, -2)
        wrong = ~(np.abs(array - swapped) <= _tolerance(np, array))
    elif demand is LOWER or demand is FACTOR:
        above = (np.triu(np.ones(array.shape[-2:]), 1) > 0) & (array != 0)
        diagonal = np.eye(*array.shape[-2:], dtype=bool) & ~(array > 0)
        wrong = above | diagonal if demand is FACTOR else above
    elif demand in (SIMPLEX, SIMPLEX_ROWS):
        return f", but its sum is {', '.join(f'{total:.9g}' for total in np.sum(array, axis=-1).ravel()[:5])}"
    elif demand is SOME:
        return ""
    else:
        wrong = ~np.asarray(demand.holds(np, array))
    if not np.ndim(array):
        return f", but is {array:.9g}"
    at = tuple(np.argwhere(wrong)[0])
    said = f", but element [{_indices(at)}] is {array[at]:.9g}"
    if demand is SYMMETRIC:
        other = (*at[:-2], at[-1], at[-2])
        said += f" and element [{_indices(other)}] is {array[other]:.9g}"
    return said


def _indices(at: tuple[Any, ...]) -> str:
    return ", ".join(str(int(index) + 1) for index in at)
