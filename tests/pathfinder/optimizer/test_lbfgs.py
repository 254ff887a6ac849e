from functools import cache, partial

import jax
import jax.numpy as jnp
import jaxopt
import numpy as np
import pytest
import scipy.optimize

from pathfinder._normals.inverse_hessian import inverse_hessian_normal
from pathfinder._status import Status
from tests import problems
from tests.pathfinder.optimizer.lbfgs_runs import run_lanes, run_path, value_and_gradient


NEVER = {"tol_obj": 1e-300, "tol_rel_obj": 1e-300, "tol_grad": 1e-300, "tol_rel_grad": 1e-300, "tol_param": 1e-300}
PEER_TOLERANCES = {**NEVER, "tol_rel_obj": 1e4, "tol_grad": 1e-8, "max_lbfgs_iters": 3000}
GAP = 1e-6  # of the log density to its maximum: the optimum is found


def scipy_path(log_density, start):
    """Evaluations at each iteration of SciPy's L-BFGS-B with five pairs, and its log densities."""
    evaluate = value_and_gradient(log_density)
    num_evaluations, counts, values = 0, [], []

    def objective(x):
        nonlocal num_evaluations
        num_evaluations += 1
        value, gradient = evaluate(x)
        return -float(value), -np.asarray(gradient)

    def keep(intermediate_result):
        counts.append(num_evaluations)
        values.append(-intermediate_result.fun)

    tolerances = {"maxcor": 5, "ftol": 1e4 * np.finfo(float).eps, "gtol": 1e-8, "maxiter": 3000, "maxfun": 10000}
    end = scipy.optimize.minimize(objective, start, jac=True, method="L-BFGS-B", callback=keep, options=tolerances)
    return np.asarray(counts), np.asarray(values), end.nfev


@partial(jax.jit, static_argnums=0)
def jaxopt_path(log_density, start, goal):
    """Evaluations that jaxopt needs to reach a log density, and whether it does."""
    solver = jaxopt.LBFGS(lambda x: -log_density(x), history_size=5, linesearch="zoom", tol=0.0)

    def go_on(carry):
        _, state = carry
        return (state.value > -goal) & (state.iter_num < 1000)

    begin = (start, solver.init_state(start))
    _, state = jax.lax.while_loop(go_on, lambda carry: tuple(solver.update(*carry)), begin)
    return state.num_grad_eval, state.value <= -goal


@cache
def maximum(density):
    if density.mode is not None:
        return float(density.log_density(jnp.asarray(density.mode)))
    evaluate = value_and_gradient(density.log_density)
    newton = scipy.optimize.minimize(
        lambda x: tuple(-np.asarray(part) for part in evaluate(x)),
        np.zeros(density.dim),
        jac=True,
        hess=jax.jit(jax.hessian(lambda x: -density.log_density(x))),
        method="trust-exact",
        options={"gtol": 1e-9},
    )
    return -newton.fun


OPTIMIZED = [
    problems.rosenbrock(2),
    problems.rosenbrock(10),
    problems.rosenbrock(50),
    problems.rotated_normal(6, 1e6),
    problems.scaled_normal(6, 1e6),
    problems.logistic_regression(10),
    problems.funnel(3),
    problems.funnel(5),
]
SLOW = ("rosenbrock_2", "rosenbrock_10", "rotated_normal_6", "scaled_normal_6", "funnel_5")
by_name = pytest.mark.parametrize(
    "density",
    [
        pytest.param(density, id=density.name, marks=[pytest.mark.slow] if density.name in SLOW else [])
        for density in OPTIMIZED
    ],
)


@pytest.mark.parametrize("scale_by_diagonal", [True, pytest.param(False, marks=pytest.mark.slow)])
@by_name
def test_evaluations_against_scipy(density, scale_by_diagonal):
    """Summed over ten starts: to the optimum, and to the end by the same tolerances."""
    goal = maximum(density) - GAP
    starts = density.starts(10)
    ours, theirs = np.zeros(2), np.zeros(2)
    paths = run_lanes(density.log_density, starts, scale_by_diagonal=scale_by_diagonal, **PEER_TOLERANCES)
    for start, (state, trace) in zip(starts, paths, strict=True):
        assert trace.log_density.max() > goal
        counts, values, total = scipy_path(density.log_density, start)
        if values.max() > goal:
            first = np.argmax(trace.log_density > goal)
            ours += trace.num_gradients[first], state.num_gradients
            theirs += counts[np.argmax(values > goal)], total
    assert np.all(ours <= 1.5 * theirs), f"{ours} against {theirs}"


@pytest.mark.parametrize("density", [OPTIMIZED[0], OPTIMIZED[5], OPTIMIZED[6]], ids=lambda density: density.name)
def test_evaluations_against_jaxopt(density):
    goal = maximum(density) - GAP
    starts = density.starts(10)
    ours, theirs = 0, 0
    for start, (_, trace) in zip(starts, run_lanes(density.log_density, starts, **PEER_TOLERANCES), strict=True):
        count, reached = jaxopt_path(density.log_density, start, goal)
        if reached:
            ours += trace.num_gradients[np.argmax(trace.log_density > goal)]
            theirs += int(count)
    assert ours <= 1.5 * theirs


@by_name
def test_ends_at_the_optimum_with_default_tolerances(density):
    for state, trace in run_lanes(density.log_density, density.starts(10), max_lbfgs_iters=3000):
        assert Status(int(state.status)).converged
        assert trace.log_density[-1] > maximum(density) - 1e-3


def test_wide_funnel_goes_up_all_the_way():
    """The mode of the ten-dimensional funnel is at log variance -40.5, where scales differ by nine digits."""
    density = problems.funnel(10)
    state, trace, _ = run_path(density.log_density, density.starts(1)[0], max_lbfgs_iters=200)
    assert np.all(np.diff(trace.log_density) >= 0)
    assert trace.log_density[-1] > trace.log_density[0] + 50
    assert Status(int(state.status)).succeeded


@pytest.mark.parametrize(
    ("start", "step_norm", "gradient_norm"),
    [
        (0.7790844049138206, 1.070e-03, 1.707e-05),
        (-0.3537033849261869, 9.936e-05, 3.738e-07),
        (1.928649293105134, 2.996e-04, 4.018e-06),
        (-0.004447612861713137, 2.814e-04, 2.034e-06),
    ],
)
def test_bernoulli_ends_as_in_stan(start, step_norm, gradient_norm):
    """The last lines that CmdStan 2.35 prints for its example model."""
    state, trace, _ = run_path(problems.bernoulli, [start])
    assert state.iteration == 5
    assert Status(int(state.status)) == Status.CONVERGED_RELATIVE_GRADIENT
    last = [column[-1] for column in (trace.step_norm, trace.gradient_norm, trace.alpha, trace.first_alpha)]
    np.testing.assert_allclose(last, [step_norm, gradient_norm, 1.0, 1.0], rtol=5e-4)


def test_bernoulli_trajectory_is_the_one_of_stan():
    """The lines that CmdStan 2.35 prints for its example model, up to their four digits."""
    expected = [
        [-9.186, 5.226e-01, 3.765, 0.1, 0.001],
        [-6.778, 1.193, 3.787e-01, 0.8857, 0.8857],
        [-6.749, 1.334e-01, 6.443e-02, 1, 1],
        [-6.748, 2.736e-02, 2.426e-03, 1, 1],
        [-6.748, 1.070e-03, 1.707e-05, 1, 1],
    ]
    _, trace, _ = run_path(problems.bernoulli, [0.7790844049138206])
    columns = [trace.log_density, trace.step_norm, trace.gradient_norm, trace.alpha, trace.first_alpha]
    np.testing.assert_allclose(np.stack(columns, axis=1), expected, rtol=5e-4)
    assert list(trace.iteration) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("option", "value", "status"),
    [
        ("tol_obj", 1e-3, Status.CONVERGED_OBJECTIVE),
        ("tol_rel_obj", 1e10, Status.CONVERGED_RELATIVE_OBJECTIVE),
        ("tol_grad", 1e-3, Status.CONVERGED_GRADIENT),
        ("tol_rel_grad", 1e10, Status.CONVERGED_RELATIVE_GRADIENT),
        ("tol_param", 1e-3, Status.CONVERGED_PARAMETERS),
        ("max_lbfgs_iters", 4, Status.ITERATION_LIMIT),
    ],
)
def test_each_limit_alone_ends_the_path(option, value, status):
    density = problems.logistic_regression()
    state, trace, _ = run_path(density.log_density, np.ones(10), **{**NEVER, option: value})
    assert Status(int(state.status)) == status
    before, after = trace.log_density[-2:]
    reached = {
        "tol_obj": abs(after - before),
        "tol_rel_obj": abs(after - before) / abs(before) / np.finfo(float).eps,
        "tol_grad": trace.gradient_norm[-1],
        "tol_rel_grad": -state.direction @ state.gradient / abs(after) / np.finfo(float).eps,
        "tol_param": trace.step_norm[-1],
        "max_lbfgs_iters": state.iteration,
    }
    assert reached[option] <= value


def test_trace_holds_what_happened():
    """Positions, values, gradients and lengths of steps belong together, and counts only grow."""
    density = problems.rosenbrock(10)
    start = density.starts(1)[0]
    state, trace, _ = run_path(density.log_density, start)
    values, gradients = jax.jit(jax.vmap(jax.value_and_grad(density.log_density)))(trace.position)
    np.testing.assert_allclose(trace.log_density, values, rtol=1e-12)
    np.testing.assert_allclose(trace.gradient, -gradients, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(trace.gradient_norm, np.linalg.norm(gradients, axis=1), rtol=1e-9)
    moves = np.diff(np.vstack([start, trace.position]), axis=0)
    np.testing.assert_allclose(trace.step_norm, np.linalg.norm(moves, axis=1), rtol=1e-9)
    assert list(trace.iteration) == list(range(1, int(state.iteration) + 1))
    assert np.all(np.diff(trace.num_gradients) >= 1)
    assert trace.num_gradients[-1] == state.num_gradients


def test_every_step_satisfies_the_strong_wolfe_conditions():
    density = problems.rosenbrock(10)
    start = density.starts(1)[0]
    _, trace, _ = run_path(density.log_density, start)
    positions = np.vstack([start, trace.position])
    values, gradients = jax.jit(jax.vmap(jax.value_and_grad(density.log_density)))(positions)
    f, g = -np.asarray(values), -np.asarray(gradients)
    moves = np.diff(positions, axis=0)
    slope_before = np.sum(g[:-1] * moves, axis=1)
    slope_after = np.sum(g[1:] * moves, axis=1)
    assert np.all(slope_before < 0)
    assert np.all(f[1:] <= f[:-1] + 1e-4 * slope_before + 1e-12)
    assert np.all(np.abs(slope_after) <= 0.9 * np.abs(slope_before) * (1 + 1e-9) + 1e-12)


def approximations(trace, pairs, history_size):
    """The normals at the iterates of a trace whose pairs have not been rewound."""
    normals = []
    for position, gradient, diagonal, end in zip(
        trace.position, trace.gradient, trace.diagonal, trace.pairs_end, strict=True
    ):
        window = jax.tree.map(lambda part, end=end: part[end - history_size : end], pairs)
        normals.append(jax.jit(inverse_hessian_normal)(position, gradient, window, diagonal))
    return normals


@pytest.mark.parametrize("chunk", [1, 7])
def test_chunks_do_not_change_the_path(chunk):
    density = problems.rosenbrock(10)
    start = density.starts(1)[0]
    _, whole, _ = run_path(density.log_density, start, max_lbfgs_iters=60)
    _, parts, _ = run_path(density.log_density, start, chunk=chunk, max_lbfgs_iters=60)
    assert len(whole.iteration) == 60
    for name in set(whole._fields) - {"pairs_end"}:
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_rewinding_keeps_the_pairs_of_later_approximations():
    density = problems.rosenbrock(10)
    start = density.starts(1)[0]
    history, chunk = 5, 7
    _, whole, whole_pairs = run_path(density.log_density, start, max_lbfgs_iters=60)
    _, parts, last_pairs = run_path(density.log_density, start, chunk=chunk, max_lbfgs_iters=60)
    num_last = len(whole.iteration) % chunk
    last = jax.tree.map(lambda rows: rows[-num_last:], (whole, parts))
    expected = approximations(last[0], whole_pairs, history)
    for one, other in zip(approximations(last[1], last_pairs, history), expected, strict=True):
        np.testing.assert_array_equal(one.mean, other.mean)
        np.testing.assert_array_equal(one.core, other.core)


def test_lanes_of_a_batch_are_single_paths():
    """Up to the growth of rounding errors."""
    density = problems.logistic_regression(10)
    starts = density.starts(10)
    for start, (state, together) in zip(starts, run_lanes(density.log_density, starts), strict=True):
        expected, alone, _ = run_path(density.log_density, start)
        assert state.status == expected.status
        assert state.num_gradients == expected.num_gradients
        np.testing.assert_allclose(together.position, alone.position, rtol=1e-5, atol=1e-6)


def test_single_precision_converges_to_what_it_resolves():
    density = problems.rotated_normal(5, 10.0)
    state, trace, _ = run_path(lambda x: density.log_density(x.astype(float)).astype(x.dtype), np.zeros(5, np.float32))
    assert trace.position.dtype == np.float32
    assert Status(int(state.status)).converged
    np.testing.assert_allclose(trace.position[-1], density.mode, rtol=1e-3)


def test_unknown_scales_are_learned():
    """Scales over eight digits along the axes: the diagonal of the approximation finds them."""
    scales = jnp.logspace(-4.0, 4.0, 9)
    _, trace, _ = run_path(lambda x: -0.5 * jnp.sum((x / scales) ** 2), np.ones(9), max_lbfgs_iters=200)
    ratio = np.sqrt(trace.diagonal[-1]) / np.asarray(scales)
    assert np.all((ratio[:5] > 0.1) & (ratio[:5] < 10))
