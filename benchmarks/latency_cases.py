"""What the latency benchmark measures: models, engines, and the calls of one engine in a process of its own."""

import json
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import pathfinder
from benchmarks.models import eight_schools_noncentered, three_levels
from benchmarks.stan_data import SIMULATORS
from pathfinder._arrays.vectorized import over_lanes


ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).resolve().parent / "programs"
STAN_PROGRAMS = (
    "varying_slopes", "normal_mixture", "gaussian_process", "garch", "hidden_markov", "differential_equation",
)  # fmt: skip
GRADIENTS_AT_ONCE, DENSITIES_AT_ONCE = 4, 128  # of the two programs that no fit can do without
WARM_UP, SAMPLES = 1000, 1000
VARIATIONAL_STEPS = 2000

Call = Callable[[int], Any]


class Problem(NamedTuple):
    """A model to fit, and its Stan program with data if there is one."""

    model: pathfinder.Model
    program: tuple[str, dict[str, Any]] | None = None


class Cost(NamedTuple):
    """What the first call of an engine in a process took, and later ones in the median.

    Args:
        first: CPU seconds of the process.
        first_wall: Seconds that passed.
        draws: CPU seconds of the constrained draws of the first call.
        programs: Programs that XLA compiled for the first call, without those draws.
        later: CPU seconds of a later call.
        later_wall: Seconds that passed.
        later_programs: Programs that XLA compiled for all later calls together, constrained draws included.
    """

    first: float
    first_wall: float
    draws: float
    programs: int
    later: float
    later_wall: float
    later_programs: int


def eight_schools() -> Problem:
    """The model in JAX, and a Stan program of it for peers that read these."""
    data = json.loads((ROOT / "examples" / "eight_schools.data.json").read_text())
    program = (ROOT / "examples" / "eight_schools_noncentered.stan").read_text()
    return Problem(eight_schools_noncentered.model(data), (program, data))


def logistic(params: Any, data: Any) -> Any:
    logits = data["x"] @ params
    return jnp.sum(data["y"] * logits - jnp.logaddexp(logits, jnp.zeros_like(logits))) - 0.5 * jnp.sum(params**2)


def logistic_regression(num_rows: int = 2000, dim: int = 50) -> Problem:
    rng = np.random.default_rng(dim)
    x = rng.standard_normal((num_rows, dim)) / np.sqrt(dim)
    y = (rng.uniform(size=num_rows) < 1 / (1 + np.exp(-x @ rng.standard_normal(dim)))).astype(float)
    return Problem(pathfinder.Model.from_log_density(logistic, np.zeros(dim), data={"x": x, "y": y}))


def three_level_hierarchy() -> Problem:
    return Problem(three_levels.model(three_levels.simulated(np.random.default_rng(1))))


def stan_program(name: str) -> Problem:
    text = (PROGRAMS / f"{name}.stan").read_text()
    data = json.loads(json.dumps(SIMULATORS[name](np.random.default_rng(1)), default=lambda value: value.tolist()))
    return Problem(pathfinder.Model.from_stan(text, data), (text, data))


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "eight schools": eight_schools,
    "logistic regression": logistic_regression,
    "3-level hierarchy": three_level_hierarchy,
    **{name: partial(stan_program, name) for name in STAN_PROGRAMS},
}


def fit_call(problem: Problem, driver: str) -> Call:
    """A fit with default options."""

    def call(seed):
        result = pathfinder.fit(problem.model, seed=seed, progress=False, driver=driver)
        _ = result.unconstrained_draws
        return result

    return call


def blackjax_call(problem: Problem) -> Call:
    """BlackJAX's multi-path Pathfinder with its defaults, called as its documentation does it."""
    from blackjax.vi.multipathfinder import multi_approximate

    model = problem.model

    def call(seed):
        starts = np.random.default_rng(seed).uniform(-2, 2, (4, model.dim))
        return jax.block_until_ready(
            multi_approximate(
                jax.random.key(seed),
                lambda position: model.density(position, model.data),
                jnp.asarray(starts, model.dtype),
            )
        )

    return call


def nuts_call(problem: Problem) -> Call:
    """One chain of NumPyro's NUTS."""
    from numpyro.infer import MCMC, NUTS

    model = problem.model
    kernel = NUTS(potential_fn=lambda position: -model.density(position, model.data))
    sampler = MCMC(kernel, num_warmup=WARM_UP, num_samples=SAMPLES, progress_bar=False)

    def call(seed):
        start = jnp.asarray(np.random.default_rng(seed).uniform(-2, 2, model.dim), model.dtype)
        sampler.run(jax.random.PRNGKey(seed), init_params=start)
        return jax.block_until_ready(sampler.get_samples())

    return call


def variational_call(problem: Problem) -> Call:
    """NumPyro's multivariate normal guide, fitted by Adam, and draws of it."""
    import numpyro
    import numpyro.distributions as dist
    from numpyro.infer import SVI, Trace_ELBO
    from numpyro.infer.autoguide import AutoMultivariateNormal

    model = problem.model

    def program():
        position = numpyro.sample("position", dist.ImproperUniform(dist.constraints.real, (), (model.dim,)))
        numpyro.factor("log_density", model.density(position, model.data))

    guide = AutoMultivariateNormal(program)
    inference = SVI(program, guide, numpyro.optim.Adam(0.01), Trace_ELBO())

    def call(seed):
        key = jax.random.PRNGKey(seed)
        fitted = inference.run(key, VARIATIONAL_STEPS, progress_bar=False)
        return jax.block_until_ready(guide.sample_posterior(key, fitted.params, sample_shape=(SAMPLES,)))

    return call


def stanli_call(problem: Problem) -> Call:
    """Four chains of NUTS, which interprets Stan's own functions: the program is read in every call."""
    import stanli

    assert problem.program is not None
    text, data = problem.program

    def call(seed):
        model = stanli.Model(stan_code=text, data=data)
        return model.sample(seed=seed, warmup=WARM_UP, samples=SAMPLES, refresh=0)

    return call


def pymc_call(problem: Problem) -> Call:
    """PyMC-extras' multi-path Pathfinder with its defaults, on its own form of the eight schools."""
    import pymc
    from pymc_extras.inference import fit_pathfinder

    assert problem.program is not None
    data = {name: np.asarray(values, float) for name, values in problem.program[1].items()}

    def call(seed):
        with pymc.Model() as model:
            location, scale = pymc.Normal("mu", 0, 5), pymc.HalfCauchy("tau", 5)
            effects = pymc.Normal("theta_trans", 0, 1, shape=len(data["y"]))
            pymc.Normal("y", location + scale * effects, data["sigma"], observed=data["y"])
        return fit_pathfinder(model=model, random_seed=seed, progressbar=False)

    return call


OURS, COMPILED = "pathfinder-vi", "pathfinder-vi, compiled driver"
ENGINES: dict[str, Callable[[Problem], Call]] = {
    OURS: partial(fit_call, driver="auto"),
    COMPILED: partial(fit_call, driver="compiled"),
    "BlackJAX, Pathfinder": blackjax_call,
    "PyMC-extras, Pathfinder": pymc_call,
    "NumPyro, NUTS": nuts_call,
    "NumPyro, AutoMultivariateNormal": variational_call,
    "stanli, NUTS": stanli_call,
}


def measured(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU seconds of this process and those it starts, seconds that passed, and what the function returns."""
    began, began_cpu = time.perf_counter(), cpu_seconds()
    output = function()
    return cpu_seconds() - began_cpu, time.perf_counter() - began, output


def cpu_seconds() -> float:
    """CPU seconds of this process, and of those that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Compilations:
    """Counts the programs that XLA compiles from now on in this process."""

    def __init__(self):
        self.count = 0
        jax.monitoring.register_event_duration_secs_listener(self._listen)

    def _listen(self, event: str, *_: Any, **__: Any) -> None:
        self.count += event.endswith("backend_compile_duration")


def cost(engine: str, problem: str, num_later: int) -> Cost:
    """The cost of calls in this process, each with another seed; the model is made before the clock starts."""
    call = ENGINES[engine](PROBLEMS[problem]())
    compilations = Compilations()
    first, first_wall, result = measured(lambda: call(0))
    programs = compilations.count
    constrained = isinstance(result, pathfinder.PathfinderResult)
    draws = measured(lambda: result.draws)[0] if constrained else 0.0
    before_later = compilations.count
    calls = [measured(lambda seed=seed: call(seed)) for seed in range(1, num_later + 1)]
    if constrained:
        _ = calls[-1][2].draws
    later, later_wall = (median(each[part] for each in calls) for part in (0, 1))
    return Cost(first, first_wall, draws, programs, later, later_wall, compilations.count - before_later)


def limit(problem: str) -> tuple[float, float]:
    """CPU seconds and seconds to compile the two programs that no fit can do without."""
    model = PROBLEMS[problem]().model

    def batched(function):
        return jax.jit(lambda points, data: over_lanes(lambda point: function(point, data))(points))

    def compile_both():
        for function, size in (
            (jax.value_and_grad(model.density), GRADIENTS_AT_ONCE),
            (model.density, DENSITIES_AT_ONCE),
        ):
            points = jax.ShapeDtypeStruct((size, model.dim), model.dtype)
            batched(function).lower(points, model.data).compile()

    cpu, wall, _ = measured(compile_both)
    return cpu, wall
