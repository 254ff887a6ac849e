"""What Stan demands of the values of arguments where breaking it would leave the result finite.

A function of the library that is given such a value throws in Stan, so that the point is rejected, used or not. What
the densities test themselves (`densities/validity.py`) gives NaN and is not repeated here. Sources: the checks in
`stan/math/prim`, with Stan's tolerance of 1e-8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from pathfinder.stan._demands.demand import (
    CORRELATION,
    DEFINITE,
    FACTOR,
    FINITE,
    LOWER,
    NOT_NEGATIVE,
    POSITIVE,
    PROBABILITY,
    SEMIDEFINITE,
    SIMPLEX,
    SIMPLEX_ROWS,
    SOME,
    SOME_INTEGERS,
    SYMMETRIC,
    Check,
    Demand,
    found,
)
from pathfinder.stan._demands.samplers import SAMPLER_CHECKS, SAMPLER_RELATIONS
from pathfinder.stan._expressions.distribution_calls import CDF_SUFFIXES, DENSITY_SUFFIXES
from pathfinder.stan._expressions.ragged import Ragged
from pathfinder.stan._library.densities import DISTRIBUTIONS
from pathfinder.stan._state.errors import StanRejectError
from pathfinder.stan._state.run import Run, here
from pathfinder.stan._syntax.tree import Node
from pathfinder.stan._values.contexts import deepest
from pathfinder.stan._values.lanes import Lanes, array_of, context_of, is_static, over_lanes, shape_of_value
from pathfinder.stan._values.value import Value


_SUFFIXES = (*DENSITY_SUFFIXES, *CDF_SUFFIXES)


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
    "multi_gp_cholesky": (Check(1, "the Cholesky factor", FACTOR),),
    "wishart": (_covariance(0, "the outcome"), _covariance(-1, "the scale matrix")),
    "inv_wishart": (_covariance(0, "the outcome"), _covariance(-1, "the scale matrix")),
    "wishart_cholesky": (Check(0, "the outcome", FACTOR), Check(-1, "the scale factor", FACTOR)),
    "inv_wishart_cholesky": (Check(0, "the outcome", FACTOR), Check(-1, "the scale factor", FACTOR)),
    "lkj_corr": (Check(0, "the outcome", CORRELATION),),
    "lkj_cov": (_covariance(0, "the outcome"),),
    "lkj_corr_cholesky": (Check(0, "the outcome", FACTOR),),
    "gaussian_dlm_obs": (
        Check(-4, "the observation covariance V", SEMIDEFINITE),
        Check(-3, "the system covariance W", SEMIDEFINITE),
        Check(-1, "the initial covariance C0", DEFINITE),
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
    "chol2inv": (Check(0, "the matrix", LOWER),),
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
    "log_mix": (Check(0, "the weights", PROBABILITY), Check(1, "the log densities", FINITE, of=2)),
    "falling_factorial": _COUNT,
    "rising_factorial": _COUNT,
    "choose": (Check(0, "the first argument", NOT_NEGATIVE), *_COUNT),
    "binary_log_loss": (Check(1, "the probability", PROBABILITY),),
    "quantile": (Check(0, "the sample", SOME), Check(1, "the probability", PROBABILITY)),
    "log_softmax": (Check(0, "the argument", SOME),),
    "max": (Check(0, "the argument", SOME_INTEGERS, of=1),),
    "min": (Check(0, "the argument", SOME_INTEGERS, of=1),),
    "mean": (Check(0, "the argument", SOME),),
    "sd": (Check(0, "the argument", SOME),),
    "variance": (Check(0, "the argument", SOME),),
}
_SPARSE = frozenset({"csr_matrix_times_vector", "csr_to_dense_matrix"})


def is_checked(name: str) -> bool:
    """Whether something is demanded of the arguments of a function that is neither a density nor a sampler."""
    return name in CHECKS


def check_arguments(run: Run, name: str, values: Sequence[Value], node: Node) -> None:
    """Reject the point, in the lanes that run, unless the arguments of a call are as Stan demands.

    Args:
        run: The evaluation.
        name: The function, or the distribution, with or without a suffix.
        values: The arguments.
        node: The call, for its place.

    Raises:
        StanRejectError: If the values are known, the call is reached in any case, and they are not.
    """
    if not run.machine.frame.context.size:
        return
    if name in _SPARSE:
        if all(map(_is_known, (*values[:2], *values[3:5]))):
            _check_sparse(run, name, values, node)
        elif not any(isinstance(value, Ragged) for value in values):
            _require_sparse(run, [here(run, value) for value in values])
        return
    base, _, suffix = name.rpartition("_")
    if suffix == "rng":
        if DISTRIBUTIONS[base].kind == "univariate" and _differ_in_size(values):
            return  # an error of its own
        checks = SAMPLER_CHECKS.get(base, ())
    else:
        checks = CHECKS.get(base if suffix in _SUFFIXES and base in CHECKS else name, ())
    for check in checks:
        if not check.of or check.of == len(values):
            place = check.position % len(values)
            words = f"{check.what} (argument {place + 1}) has to be {check.demand.text}"
            _check(run, name, check.demand, [values[place]], words, node)
    if suffix == "rng" and base in SAMPLER_RELATIONS:
        relation = SAMPLER_RELATIONS[base]
        _check(run, name, relation, values, f"needs {relation.text}", node)


def _differ_in_size(values: Sequence[Value]) -> bool:
    shapes = {shape_of_value(value) for value in values if not isinstance(value, Ragged)}
    return len(shapes - {()}) > 1


def _is_known(value: Value) -> bool:
    return is_static(value) and not isinstance(value, Ragged | Lanes)


def _check_sparse(run: Run, name: str, values: Sequence[Value], node: Node) -> None:
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
    if wrong and run.machine.frame.mask is None and (run.on_data or run.machine.frame.random_key is None):
        raise StanRejectError(f"`{name}`: {wrong}", node.span)
    run.machine.target.require(not wrong)


def _require_sparse(run: Run, values: Sequence[Value]) -> None:
    """The same of a sparse matrix whose indices differ between lanes, or depend on the step of a scan."""

    def fits(rows: Any, cols: Any, w: Any, v: Any, u: Any, *vector: Any) -> Any:
        stored = w.shape[0]
        ends = (u[0] == 1) & jnp.all(u[1:] >= u[:-1]) & (u[-1] == stored + 1)
        sizes = (v.shape[0] == stored) & (rows == u.shape[0] - 1)
        inside = jnp.all((v >= 1) & (v <= cols))
        for b in vector:
            sizes &= b.shape[0] == cols
        return ends & sizes & inside

    context = deepest([context_of(value, run.machine.frame.root) for value in values], run.machine.frame.root)
    run.machine.target.require(over_lanes(lambda *arrays: fits(*map(jnp.asarray, arrays)), values, context))


def _check(run: Run, name: str, demand: Demand, values: Sequence[Value], words: str, node: Node) -> None:
    """Require what is demanded of one value, or of several together."""
    if any(isinstance(value, Ragged) for value in values):
        return
    machine, frame = run.machine, run.machine.frame
    given = [here(run, value) for value in values]
    context = deepest([context_of(value, frame.root) for value in given], frame.root)
    is_static_here = all(is_static(value) for value in given) and context.is_root
    if is_static_here:
        holds: Any = bool(np.all(demand.holds(np, *map(np.asarray, given))))
    else:

        def of_lane(*arrays: Any) -> Any:
            constant = [lax.stop_gradient(jnp.asarray(array)) for array in arrays]  # only compared, not differentiated
            return jnp.all(jnp.asarray(demand.holds(jnp, *constant)))

        holds = over_lanes(of_lane, given, context)
    # generated quantities of a draw that fail are NaN, as those of a draw that is rejected
    is_certain = frame.mask is None and (run.on_data or frame.random_key is None)
    if is_certain and is_static(holds) and not np.all(array_of(holds)):
        what = found(demand, array_of(given[0])) if len(given) == 1 else _given(given)
        raise StanRejectError(f"`{name}`: {words}{what}", node.span)
    machine.target.require(holds)


def _given(values: Sequence[Value]) -> str:
    small = [f"{float(array_of(value)):.9g}" for value in values if not np.ndim(array_of(value))]
    return f", but is given {', '.join(small)}" if len(small) == len(values) else ""
