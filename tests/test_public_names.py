"""A name cannot become public, or vanish, by accident."""

import ast
import inspect
import subprocess
import sys
import types
from pkgutil import resolve_name

import pytest

import pathfinder
import pathfinder.stan
import psis


PATHFINDER = {
    "BatchResult",
    "BorderedNormal",
    "Calibration",
    "ChainDraws",
    "InitialPoints",
    "Iterations",
    "LowRankMatrix",
    "LowRankNormal",
    "Mixing",
    "Model",
    "PathReport",
    "PathResult",
    "Pattern",
    "RefinedMode",
    "Refinement",
    "PathfinderError",
    "PathfinderResult",
    "Settings",
    "Status",
    "Trajectory",
    "Variable",
    "calibrate",
    "Virial",
    "WarmStart",
    "constraints",
    "fit",
    "fit_batch",
    "gaussian",
    "load",
    "plots",
    "sample",
}
PSIS = {
    "MIN_EFFECTIVE_SAMPLE_SIZE",
    "GeneralizedPareto",
    "PSISResult",
    "convergence_rate",
    "describe_pareto_k",
    "effective_sample_size",
    "fit_generalized_pareto",
    "min_sample_size",
    "pareto_k_threshold",
    "relative_efficiency",
    "resample",
    "smooth_log_weights",
}
STAN = {
    "CheckedProgram",
    "Diagnostic",
    "StanDataError",
    "StanError",
    "StanEvaluationError",
    "StanSyntaxError",
    "StanTypeError",
    "check",
    "explain",
    "parse",
    "parse_functions",
    "print_program",
    "simulator",
}
GAUSSIAN = {"conditional", "inverse_quadratic_and_log_determinant", "kernels", "normal_log_density", "safe_cholesky"}
PLOTS = {"chains", "compare", "elbo", "pairs", "trajectory", "weights"}
CONSTRAINTS = {
    "corr_cholesky",
    "corr_matrix",
    "greater_than",
    "interval",
    "less_than",
    "lower_cholesky",
    "ordered_vector",
    "positive",
    "positive_definite",
    "positive_ordered_vector",
    "real",
    "simplex",
    "unit_interval",
    "zero_sum",
}


def public_names(module):
    return {name for name in dir(module) if not name.startswith("_")}


def test_names_of_pathfinder():
    assert public_names(pathfinder) == set(pathfinder.__all__) == PATHFINDER
    with pytest.raises(AttributeError, match="module 'pathfinder' has no attribute 'fits'"):
        pathfinder.fits  # noqa: B018


def test_type_checkers_see_the_names_of_pathfinder_where_they_are():
    seen = {
        alias.name: alias.name if node.module == "pathfinder" else f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(inspect.getsource(pathfinder)))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("pathfinder")
        for alias in node.names
    }
    assert set(seen) - {"__version__"} == PATHFINDER
    for name in PATHFINDER - {"constraints", "gaussian", "plots"}:
        assert getattr(pathfinder, name) is resolve_name(seen[name])


def test_pathfinder_loads_jax_when_it_is_asked_for_what_needs_it():
    code = "import sys, pathfinder; before = 'jax' in sys.modules; pathfinder.fit; print(before, 'jax' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False True\n"


def test_names_of_stan():
    assert public_names(pathfinder.stan) == STAN


def test_names_of_psis():
    assert public_names(psis) == PSIS


def test_names_of_constraints():
    assert public_names(pathfinder.constraints) == CONSTRAINTS


def test_names_of_plots():
    assert public_names(pathfinder.plots) == PLOTS


def test_version():
    assert isinstance(pathfinder.__version__, str)


def test_public_things_are_documented():
    for module in (pathfinder, pathfinder.plots, pathfinder.stan, psis):
        for name in public_names(module):
            thing = getattr(module, name)
            assert isinstance(thing, types.ModuleType) or thing.__doc__, name


def test_names_of_gaussian():
    assert public_names(pathfinder.gaussian) == GAUSSIAN
