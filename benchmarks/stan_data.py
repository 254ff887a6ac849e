"""Data for the programs in `programs/`, simulated at the sizes of usual analyses."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import interpolate, signal


Generator = np.random.Generator
Data = Mapping[str, Any]


def linear_regression(rng: Generator) -> Data:
    x = rng.normal(size=(1000, 10))
    return {"N": 1000, "K": 10, "X": x, "y": 1 + x @ rng.normal(size=10) + rng.normal(size=1000)}


def logistic_glm(rng: Generator) -> Data:
    x = rng.normal(size=(1000, 20))
    eta = 0.5 + x @ rng.normal(0, 0.5, 20)
    return {"N": 1000, "K": 20, "X": x, "y": rng.binomial(1, _inv_logit(eta))}


def varying_intercepts(rng: Generator) -> Data:
    group, x = rng.integers(85, size=900), rng.normal(size=900)
    y = rng.normal(1, 0.5, 85)[group] - 0.6 * x + rng.normal(0, 0.7, 900)
    return {"N": 900, "J": 85, "group": group + 1, "x": x, "y": y}


def eight_schools(rng: Generator) -> Data:
    sigma = rng.uniform(9, 18, 8)
    return {"J": 8, "y": rng.normal(5, np.hypot(6, sigma)), "sigma": sigma}


def gaussian_process(rng: Generator) -> Data:
    x = np.sort(rng.uniform(-5, 5, 100))
    return {"N": 100, "x": x, "y": np.sin(x) + rng.normal(0, 0.3, 100)}


def hidden_markov(rng: Generator) -> Data:
    state = np.cumsum(rng.random(500) < 0.1) % 3
    return {"T": 500, "S": 3, "y": rng.normal([-2.0, 0.5, 4.0])[state] + rng.normal(0, 0.8, 500)}


def autoregression(rng: Generator) -> Data:
    return {"T": 1000, "P": 5, "y": signal.lfilter([1.0], [1, -0.5, -0.2], rng.normal(size=1000))}


def moving_average(rng: Generator) -> Data:
    return {"T": 500, "y": signal.lfilter([1, 0.4], [1, -0.6], rng.normal(size=500))}


def garch(rng: Generator) -> Data:
    volatility = np.exp(signal.lfilter([0.2], [1, -0.9], rng.normal(size=500)))
    return {"T": 500, "y": volatility * rng.normal(size=500), "sigma1": 1.0}


def normal_mixture(rng: Generator) -> Data:
    component = rng.choice(3, size=1000, p=[0.3, 0.5, 0.2])
    y = rng.normal(np.array([-4.0, 0, 3])[component], np.array([1, 0.7, 1.5])[component])
    return {"N": 1000, "K": 3, "y": y}


def topics(rng: Generator) -> Data:
    sizes = {"K": 3, "V": 50, "M": 40, "N": 2500}
    words, documents = rng.dirichlet(np.full(50, 0.3), 3), rng.dirichlet(np.ones(3), 40)
    doc = np.sort(rng.integers(40, size=2500))
    w = [rng.choice(50, p=documents[m] @ words) + 1 for m in doc]
    return {**sizes, "w": w, "doc": doc + 1, "alpha": np.full(3, 0.7), "beta": np.full(50, 0.3)}


def item_response(rng: Generator) -> Data:
    item, person = (values.ravel() for values in np.meshgrid(np.arange(20), np.arange(150)))
    eta = rng.lognormal(0, 0.4, 20)[item] * (rng.normal(size=150)[person] - rng.normal(size=20)[item])
    y = rng.binomial(1, _inv_logit(eta))
    return {"I": 20, "J": 150, "N": 3000, "item": item + 1, "person": person + 1, "y": y}


def ragged_segments(rng: Generator) -> Data:
    sizes = rng.integers(5, 40, size=50)
    y = np.repeat(rng.normal(2, 1, 50), sizes) + rng.normal(size=sizes.sum())
    return {"N": int(sizes.sum()), "J": 50, "y": y, "size_of": sizes}


def varying_slopes(rng: Generator) -> Data:
    group = rng.integers(50, size=1000)
    x = np.column_stack([np.ones(1000), rng.normal(size=(1000, 2))])
    y = np.sum(x * rng.normal([1, 0.5, -0.5], 0.5, (50, 3))[group], 1) + rng.normal(0, 0.5, 1000)
    return {"N": 1000, "J": 50, "K": 3, "group": group + 1, "X": x, "y": y}


def differential_equation(rng: Generator) -> Data:
    t = np.arange(1.0, 21)
    hares, lynxes = 25 + 18 * np.sin(0.6 * t), 20 + 14 * np.sin(0.6 * t - 1.5)
    return {"N": 20, "t": t, "y": np.column_stack([hares, lynxes]) * rng.lognormal(0, 0.2, (20, 2))}


def ordered_logistic(rng: Generator) -> Data:
    x = rng.normal(size=(800, 5))
    y = np.digitize(x @ rng.normal(size=5) + rng.logistic(size=800), [-2.0, -0.5, 1, 2.5]) + 1
    return {"K": 5, "N": 800, "D": 5, "x": x, "y": y}


def survival(rng: Generator) -> Data:
    x = rng.normal(size=(600, 3))
    entry, censoring = rng.uniform(0, 0.4, 600), rng.uniform(1, 6, 600)
    time = entry + np.exp(x @ [0.5, -0.3, 0.2]) * rng.weibull(1.4, 600)
    event = (time < censoring).astype(int)
    return {"N": 600, "K": 3, "X": x, "time": np.minimum(time, censoring), "entry": entry, "event": event}


def state_space(rng: Generator) -> Data:
    level = np.cumsum(rng.normal(0, 0.1, 200))
    return {"T": 200, "S": 12, "y": level + np.sin(np.arange(200) * np.pi / 6) + rng.normal(0, 0.3, 200)}


def poisson_random_effects(rng: Generator) -> Data:
    site, year, x = rng.integers(100, size=900), rng.integers(9, size=900), rng.normal(size=900)
    eta = 1 + rng.normal(0, 0.5, 100)[site] + rng.normal(0, 0.2, 9)[year] + 0.3 * x
    return {"N": 900, "J": 100, "T": 9, "site": site + 1, "year": year + 1, "count": rng.poisson(np.exp(eta)), "x": x}


def splines(rng: Generator) -> Data:
    x = np.sort(rng.uniform(0, 10, 300))
    knots = np.concatenate([np.zeros(3), np.linspace(0, 10.001, 18), np.full(3, 10.001)])
    basis = interpolate.BSpline.design_matrix(x, knots, 3).toarray()
    return {"N": 300, "B": 20, "basis": basis, "y": np.sin(x) + rng.normal(0, 0.2, 300)}


def capture_recapture(rng: Generator) -> Data:
    alive = np.cumprod(rng.random((200, 8)) < 0.8, axis=1)
    return {"T": 8, "I": 200, "y": (alive * (rng.random((200, 8)) < 0.6)).astype(int)}


def random_walk(rng: Generator) -> Data:
    return {"T": 500, "y": rng.normal(size=500) * np.exp(np.cumsum(rng.normal(0, 0.05, 500)))}


def _inv_logit(x):
    return 1 / (1 + np.exp(-x))


SIMULATORS: dict[str, Callable[[Generator], Data]] = {
    function.__name__: function
    for function in (
        linear_regression, logistic_glm, ordered_logistic, survival, splines, eight_schools, varying_intercepts,
        varying_slopes, poisson_random_effects, item_response, ragged_segments, capture_recapture, normal_mixture,
        topics, gaussian_process, autoregression, moving_average, garch, random_walk, state_space, hidden_markov,
        differential_equation,
    )
}  # fmt: skip
