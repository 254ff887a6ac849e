"""What CmdStan can do besides Pathfinder: names and types only.

They let this program recognize a word that belongs to another method, and say where CmdStan
would take it. None of these methods can be run here.
"""

from pathfinder_cli._arguments.tree import Category, Node, Option, Selection
from pathfinder_cli._arguments.values import BOOLEAN, DOUBLE, INTEGER, STRING, UNSIGNED, ValueType


def _options(value_type: ValueType, names: str) -> tuple[Option, ...]:
    return tuple(Option(name, type=value_type) for name in names.split())


def _selection(name: str, *values: Category) -> Selection:
    return Selection(name, "", values)


def _value(name: str, *children: Node) -> Category:
    return Category(name, "", children)


def _method(name: str, summary: str, *children: Node) -> Category:
    return Category(name, f"{summary} (in CmdStan only)", children, available=False)


_LINE_SEARCH = _options(DOUBLE, "init_alpha tol_obj tol_rel_obj tol_grad tol_rel_grad tol_param")

_SAMPLE = _method(
    "sample",
    "Markov chain Monte Carlo",
    *_options(INTEGER, "num_samples num_warmup"),
    *_options(BOOLEAN, "save_warmup"),
    *_options(INTEGER, "thin"),
    _value(
        "adapt",
        *_options(BOOLEAN, "engaged"),
        *_options(DOUBLE, "gamma delta kappa t0"),
        *_options(UNSIGNED, "init_buffer term_buffer window"),
        *_options(BOOLEAN, "save_metric"),
    ),
    _selection(
        "algorithm",
        _value(
            "hmc",
            _selection(
                "engine",
                _value("static", *_options(DOUBLE, "int_time")),
                _value("nuts", *_options(INTEGER, "max_depth")),
            ),
            _selection("metric", _value("unit_e"), _value("diag_e"), _value("dense_e")),
            *_options(STRING, "metric_file"),
            *_options(DOUBLE, "stepsize stepsize_jitter"),
        ),
        _value("fixed_param"),
    ),
    *_options(INTEGER, "num_chains"),
)

_OPTIMIZE = _method(
    "optimize",
    "Posterior mode or maximum likelihood",
    _selection(
        "algorithm",
        _value("bfgs", *_LINE_SEARCH),
        _value("lbfgs", *_LINE_SEARCH, *_options(INTEGER, "history_size")),
        _value("newton"),
    ),
    *_options(BOOLEAN, "jacobian"),
    *_options(INTEGER, "iter"),
    *_options(BOOLEAN, "save_iterations"),
)

_VARIATIONAL = _method(
    "variational",
    "Automatic differentiation variational inference",
    _selection("algorithm", _value("meanfield"), _value("fullrank")),
    *_options(INTEGER, "iter grad_samples elbo_samples"),
    *_options(DOUBLE, "eta"),
    _value("adapt", *_options(BOOLEAN, "engaged"), *_options(INTEGER, "iter")),
    *_options(DOUBLE, "tol_rel_obj"),
    *_options(INTEGER, "eval_elbo output_samples"),
)

_DIAGNOSE = _method(
    "diagnose",
    "Check of the model's gradient",
    _selection("test", _value("gradient", *_options(DOUBLE, "epsilon error"))),
)

_GENERATE_QUANTITIES = _method(
    "generate_quantities",
    "Generated quantities for given draws",
    *_options(STRING, "fitted_params"),
    *_options(INTEGER, "num_chains"),
)

_LOG_PROB = _method(
    "log_prob",
    "Log density and gradient at given parameters",
    *_options(STRING, "unconstrained_params constrained_params"),
    *_options(BOOLEAN, "jacobian"),
)

_LAPLACE = _method(
    "laplace",
    "Normal approximation at a given mode",
    *_options(STRING, "mode"),
    *_options(BOOLEAN, "jacobian"),
    *_options(INTEGER, "draws"),
    *_options(BOOLEAN, "calculate_lp"),
)


def in_order(pathfinder: Category) -> tuple[Category, ...]:
    """All methods in CmdStan's order, with `pathfinder` in its place."""
    before = (_SAMPLE, _OPTIMIZE, _VARIATIONAL, _DIAGNOSE, _GENERATE_QUANTITIES)
    return (*before, pathfinder, _LOG_PROB, _LAPLACE)
