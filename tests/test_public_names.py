"""A name cannot become public, or vanish, by accident."""

import types

import pathfinder
import pathfinder.stan
import psis


PATHFINDER = {
    "BatchResult",
    "InitialPoints",
    "Iterations",
    "LowRankNormal",
    "Model",
    "PathReport",
    "PathResult",
    "RefinedMode",
    "Refinement",
    "PathfinderError",
    "PathfinderResult",
    "Settings",
    "Status",
    "Trajectory",
    "Variable",
    "constraints",
    "fit",
    "fit_batch",
    "load",
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
}
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
    return {name for name in vars(module) if not name.startswith("_")}


def test_names_of_pathfinder():
    # The door to Stan is there once anything has come through it.
    assert public_names(pathfinder) - {"stan"} == PATHFINDER


def test_names_of_stan():
    assert public_names(pathfinder.stan) == STAN


def test_names_of_psis():
    assert public_names(psis) == PSIS


def test_names_of_constraints():
    assert public_names(pathfinder.constraints) == CONSTRAINTS


def test_version():
    assert isinstance(pathfinder.__version__, str)


def test_public_things_are_documented():
    for module in (pathfinder, pathfinder.stan, psis):
        for name in public_names(module):
            thing = getattr(module, name)
            assert isinstance(thing, types.ModuleType) or thing.__doc__, name
