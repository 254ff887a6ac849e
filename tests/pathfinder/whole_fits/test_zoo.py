"""Densities of many kinds through the whole engine, in processes of their own: XLA's CPU runtime has deadlocked before.

The process names each density before it fits it, so a hang is known by the last name.
"""

import subprocess
import sys

import pytest

from tests import compilation


SECONDS = 240

PREAMBLE = """
import sys
import numpy as np, jax, jax.numpy as jnp
jax.config.update("jax_enable_x64", True)
import pathfinder

def normal(x):
    return -0.5 * jnp.sum(x**2)

def fit(name, log_density, dim, **options):
    print("fitting", name, flush=True)
    arguments = {"seed": 0, "progress": False, "num_draws": 100, "num_psis_draws": 100, "max_lbfgs_iters": 100}
    result = pathfinder.fit(log_density, np.zeros(dim), **{**arguments, **options})
    assert all(path.status.succeeded for path in result.paths), result
    assert np.all(np.isfinite(result.unconstrained_draws)), result
    assert result.unconstrained_draws.shape == (100, dim), result
    print("finished", name, flush=True)
    return result
"""

ZOO = {
    "factorizations beside each other, and a scan": """
inputs = jnp.linspace(0.0, 1.0, 50)
distance = (inputs[:, None] - inputs[None, :]) ** 2

def gaussian_processes(x):
    total = normal(x)
    for log_length, values in zip(x[:3], (jnp.sin(inputs), jnp.cos(inputs), inputs)):
        covariance = jnp.exp(-0.5 * distance * jnp.exp(-2.0 * log_length)) + 0.1 * jnp.eye(50)
        factor = jnp.linalg.cholesky(covariance)
        whitened = jax.scipy.linalg.solve_triangular(factor, values, lower=True)
        total = total - 0.5 * jnp.sum(whitened**2) - jnp.sum(jnp.log(jnp.diagonal(factor)))
    return total

def random_walk(x):
    def step(level, move):
        level = 0.9 * level + move
        return level, level
    _, levels = jax.lax.scan(step, jnp.zeros(()), x)
    return -0.5 * jnp.sum((levels - 1.0) ** 2) + normal(x)

fit("scan", random_walk, 12)
fit("three Gaussian processes", gaussian_processes, 4, num_draws=1000)
""",
}

RARER = {
    "many dimensions": """
scales = jnp.linspace(0.5, 2.0, 10_000)
fit("10,000 dimensions", lambda x: normal((x - 1.0) / scales), 10_000)
""",
    "differential equation": """
import diffrax

times = jnp.linspace(0.0, 3.0, 10)
observed = 2.0 * jnp.exp(-0.7 * times)

def decay(x):
    rate, start = jnp.exp(x[0]), jnp.exp(x[1])
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: -args * y), diffrax.Tsit5(), t0=0.0, t1=3.0, dt0=0.1, y0=start, args=rate,
        saveat=diffrax.SaveAt(ts=times), stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-8),
        max_steps=1000, throw=False,
    )
    return -0.5 * jnp.sum((solution.ys - observed) ** 2) / 0.01 + normal(x)

result = fit("diffrax", decay, 2, max_lbfgs_iters=50)
assert abs(np.exp(result.unconstrained_draws[:, 0]).mean() - 0.7) < 0.2
""",
    "linear algebra": """
def triangular(x):
    lower = jnp.eye(12) * 2.0 + jnp.tril(jnp.ones((12, 12)), -1) * 0.05
    return normal(jax.scipy.linalg.solve_triangular(lower, x, lower=True))

def wishart(x):
    matrix = jnp.outer(x, x) + 2.0 * jnp.eye(16)
    return -jnp.linalg.slogdet(matrix)[1] - 0.5 * x @ jnp.linalg.solve(matrix, x) + normal(x)

def eigenvalues(x):
    matrix = x.reshape(4, 4)
    return -jnp.sum(jnp.linalg.eigvalsh(matrix @ matrix.T + jnp.diag(jnp.arange(4.0))) ** 2) + normal(x)

def hessian_inside(x):
    inner = jax.hessian(lambda z: jnp.sum(jnp.cos(z)) + 3.0 * jnp.sum(z**2))(x)
    return -jnp.linalg.slogdet(inner)[1] + normal(x)

def convolved(x):
    return -0.5 * jnp.sum((jnp.convolve(x, jnp.array([0.25, 0.5, 0.25]), mode="same") - 1.0) ** 2) + normal(x)

fit("triangular solve", triangular, 12)
fit("log determinant", wishart, 16)
fit("eigenvalues", eigenvalues, 16)
fit("hessian inside", hessian_inside, 16)
fit("convolution", convolved, 16)
""",
    "loops": """
def counted(x):
    return -jax.lax.fori_loop(0, 10, lambda i, total: total + jnp.sum((x - 0.1) ** 2), jnp.zeros(())) + normal(x)

def branching(x):
    def high(value):
        return -(value - 1.0) ** 2
    def low(value):
        return -2.0 * (value - 1.0) ** 2
    return jax.lax.cond(x[0] > 0, high, low, x[0]) + normal(x)

def kalman(x):
    q, r = jnp.exp(x[0]), jnp.exp(x[1])
    def step(carry, y):
        mean, variance = carry
        variance = variance + q
        total = variance + r
        log_p = -0.5 * ((y - mean) ** 2 / total + jnp.log(total))
        gain = variance / total
        return (mean + gain * (y - mean), (1.0 - gain) * variance), log_p
    _, log_p = jax.lax.scan(step, (jnp.zeros(()), jnp.ones(())), jnp.sin(jnp.arange(50.0)))
    return jnp.sum(log_p) + normal(x)

def hidden_markov(x):
    transition = jax.nn.log_softmax(x[:4].reshape(2, 2), axis=1)
    means = x[4:6]
    def step(alpha, y):
        emission = -0.5 * (y - means) ** 2
        return jax.nn.logsumexp(alpha[:, None] + transition, axis=0) + emission, None
    alpha, _ = jax.lax.scan(step, jnp.zeros(2), jnp.sign(jnp.sin(jnp.arange(40.0))) * 2.0)
    return jax.nn.logsumexp(alpha) + normal(x)

fit("fori_loop", counted, 6)
fit("cond", branching, 6)
fit("kalman filter", kalman, 6)
fit("hidden markov model", hidden_markov, 6)
""",
    "transforms": """
def sorting(x):
    return -0.5 * jnp.sum((jnp.sort(x) - jnp.linspace(-2.0, 2.0, 12)) ** 2) + normal(x)

def spectrum(x):
    return -0.5 * jnp.sum(jnp.abs(jnp.fft.rfft(x)) ** 2) / 32.0 + normal(x)

def nested(x):
    pairwise = jax.vmap(lambda a: jax.vmap(lambda b: jnp.exp(-((a - b) ** 2)))(x))(x)
    return -jnp.sum(pairwise) + normal(x)

@jax.custom_vjp
def custom(x):
    return -0.25 * jnp.sum(x**4)

custom.defvjp(lambda x: (custom(x), x), lambda x, g: (-(x**3) * g,))

fit("sort", sorting, 12)
fit("FFT", spectrum, 12)
fit("nested vmap", nested, 12)
fit("custom gradient", custom, 12)
""",
    "wrappers and sizes": """
fit("1 dimension", normal, 1)
fit("checkpoint", lambda x: jax.checkpoint(lambda z: normal(jnp.sin(z)))(x) + normal(x), 5)
fit("jit inside", jax.jit(normal), 5)
fit("one path", normal, 5, num_paths=1)
fit("30 paths", normal, 5, num_paths=30)
fit("long history", normal, 40, history_size=25)
""",
}


@pytest.mark.parametrize("group", ZOO)
def test_no_density_hangs(group):
    run_to_the_end(ZOO[group])


@pytest.mark.slow
@pytest.mark.parametrize("group", RARER)
def test_no_rarer_density_hangs(group):
    run_to_the_end(RARER[group])


def run_to_the_end(program):
    process = subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + program],
        env={**compilation.as_users_have_it(), **compilation.CACHE, "JAX_PLATFORMS": "cpu"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        pytest.fail(f"No end after {SECONDS} seconds:\n{output}")
    assert process.returncode == 0, output
    assert output.count("fitting") == output.count("finished") > 0
