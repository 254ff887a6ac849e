import dataclasses
import math
import subprocess
import sys

import pytest

from pathfinder_cli._arguments.grammar import ARGUMENTS, DEFAULTS, METHOD, PATHFINDER, Configuration
from pathfinder_cli._arguments.tree import Category, Option, Selection, places
from pathfinder_cli._arguments.values import BadValue


MODULES = [
    *("_arguments." + name for name in ("grammar", "help", "options", "other_methods", "parse", "threads", "values")),
    *("_inputs.init_files", "_outputs.echo", "_outputs.names"),
]

# Path: texts at the limits that are valid, and texts just beyond them.
POSITIVE_INT = (["1", "2147483647"], ["0", "-1", "2147483648", "1.0", "inf", ""])
POSITIVE_DOUBLE = (["1e-300", "1", "inf", "0x1p-3"], ["0", "-0", "-1e-300", "nan", "-inf", "1e999", "2.5x", ""])
SWITCH = (["true", "false", "0", "1"], ["True", "2", ""])
ANY_TEXT = (["", "a b", "x=y"], [])
RANGES = {
    "init_alpha": POSITIVE_DOUBLE,
    "tol_obj": POSITIVE_DOUBLE,
    "tol_rel_obj": POSITIVE_DOUBLE,
    "tol_grad": POSITIVE_DOUBLE,
    "tol_rel_grad": POSITIVE_DOUBLE,
    "tol_param": POSITIVE_DOUBLE,
    "history_size": POSITIVE_INT,
    "num_psis_draws": POSITIVE_INT,
    "num_paths": POSITIVE_INT,
    "save_single_paths": SWITCH,
    "psis_resample": SWITCH,
    "calculate_lp": SWITCH,
    "max_lbfgs_iters": POSITIVE_INT,
    "num_draws": POSITIVE_INT,
    "num_elbo_draws": POSITIVE_INT,
    "id": (["0", "2147483647"], ["-1", "2147483648", "abc"]),
    "data file": ANY_TEXT,
    "init": (["0", "2", "1.json", ""], ["-1", "inf", "nan"]),
    "random seed": (["-1", "0", "4294967295"], ["-2", "4294967296", "1.5"]),
    "output file": ANY_TEXT,
    "output diagnostic_file": ANY_TEXT,
    "output refresh": (["0", "2147483647"], ["-1", "1e2"]),
    "output sig_figs": (["-1", "0", "18"], ["-2", "19"]),
    "output profile_file": ANY_TEXT,
    "output save_cmdstan_config": SWITCH,
    "num_threads": (["-1", "1", "2147483647"], ["0", "-2"]),
    "engine weights": (["mixture", "component"], ["Mixture", ""]),
    "engine resample": (["multinomial", "stratified", "systematic", "without_replacement"], ["none"]),
    "engine optimizer": (["lbfgs", "jaxopt"], ["bfgs"]),
    "engine schedule": (["cmdstan", "race"], ["stan"]),
    "engine refine": SWITCH,
    "engine chains": (["0", "1", "false", "auto", "8", "125"], ["7", "11", "2", "all", "-8", "1e2", "125.0", ""]),
    "engine max_chain_gradients": POSITIVE_INT,
    "engine simplex": (["ilr", "stick_breaking"], ["old"]),
    "engine print": SWITCH,
    "engine platform": (["auto", "cpu", "gpu", "tpu"], ["cuda"]),
    "engine driver": (["auto", "host", "compiled"], ["numpy"]),
    "engine precision": (["double", "single"], ["float32"]),
    "engine time_limit": (["1e-3", "60", "inf"], ["0", "-1", "nan"]),
    "engine progress": SWITCH,
    "engine report": ANY_TEXT,
}


def options():
    """Every option that can be set, as in `"output file"`, in the order of the echo."""
    found = {child.name: child for child in PATHFINDER.children}
    for node in ARGUMENTS:
        if isinstance(node, Option):
            found[node.name] = node
        elif isinstance(node, Category):
            found |= {f"{node.name} {child.name}": child for child in node.children}
    return found


def test_the_table_of_ranges_covers_every_option():
    assert list(RANGES) == list(options())


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (good, _) in RANGES.items() for text in good])
def test_values_at_the_limits_are_valid(name, text):
    options()[name].read(text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (_, bad) in RANGES.items() for text in bad])
def test_values_beyond_the_limits_are_not(name, text):
    with pytest.raises(BadValue):
        options()[name].read(text)


def test_every_default_is_valid_and_is_what_its_text_stands_for():
    for option in options().values():
        assert option.read(option.type.show(option.default)) == option.default


def test_every_field_of_a_configuration_is_an_argument():
    scopes = {name: field for name, field in vars(DEFAULTS).items() if dataclasses.is_dataclass(field)}
    fields = {(scope, field.name) for scope in scopes for field in dataclasses.fields(scopes[scope])}
    declared = {(node.name, child.name) for node in (*ARGUMENTS, PATHFINDER) for child in getattr(node, "children", ())}
    assert fields == declared


def test_arguments_are_in_cmdstans_order_with_ours_at_the_end():
    names = [node.name for node in ARGUMENTS]
    assert names == ["method", "id", "data", "init", "random", "output", "num_threads", "engine"]


def test_every_argument_of_this_program_has_help():
    for node in (*ARGUMENTS, *METHOD.values, *options().values()):
        assert node.help, node.name


def test_only_pathfinder_is_available():
    assert [value.name for value in METHOD.values if value.available] == ["pathfinder"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("num_paths", ["method=pathfinder num_paths=<int>"]),
        ("file", ["data file=<string>", "output file=<string>"]),
        ("seed", ["random seed=<x>"]),
        ("id", ["id=<int>"]),
        ("data", ["data"]),
        ("method", ["method=<list_element>"]),
        ("optimize", ["method=optimize"]),
        ("adapt", ["method=sample adapt", "method=variational adapt"]),
        ("window", ["method=sample adapt window=<unsigned int>"]),
        ("psis_resample", ["method=pathfinder psis_resample=<boolean>"]),
        (
            "tol_obj",
            [
                "method=optimize algorithm=bfgs tol_obj=<double>",
                "method=optimize algorithm=lbfgs tol_obj=<double>",
                "method=pathfinder tol_obj=<double>",
            ],
        ),
        ("weights", ["engine weights=<list_element>"]),
        ("foo", []),
        ("", []),
    ],
)
def test_places_are_written_from_the_root_on(name, expected):
    assert [place for node in ARGUMENTS for place in places(node, name)] == expected


def test_selections_name_their_values():
    assert isinstance(METHOD, Selection)
    assert METHOD.find("laplace") is METHOD.values[-1]
    assert METHOD.find("foo") is None


def test_the_default_of_a_seed_is_the_clock():
    assert DEFAULTS.random.seed_at(2**32 + 7) == 7
    assert dataclasses.replace(DEFAULTS.random, seed=0).seed_at(2**32 + 7) == 0


def test_values_are_found_by_path_and_know_whether_they_are_the_default():
    config = Configuration(num_threads=2, environment_threads=2, given=frozenset({"num_threads"}))
    assert config.is_default("num_threads")
    assert not Configuration(num_threads=2).is_default("num_threads")
    assert config.value("engine.time_limit") == math.inf
    assert config.is_default("pathfinder.tol_obj")
    assert not config.uses_engine()


def test_only_the_standard_library_is_imported():
    imports = ", ".join(f"pathfinder_cli.{module}" for module in MODULES)
    code = (
        f"import sys; before = set(sys.modules); import {imports}; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['pathfinder', 'pathfinder_cli']"
