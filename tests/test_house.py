"""The rooms of the house: which there are, what may import what, how large they are, and that names mean one thing."""

import ast
from collections import defaultdict
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from pathfinder_cli._models.source import ModelModule


ROOT = Path(__file__).parent.parent
FOLDERS = {"pathfinder": "pathfinder", "psis": "psis", "pathfinder_cli": "cli"}
MOST_FILES = 12

# Of each package its rooms and files from top to bottom: what stands in a line may import the lines below it, only. The
# rooms of one line do not import each other.
ORDER = {
    "pathfinder": """
        _sampling
        _fitting
        _results
        plots
        _draws
        _chains
        _importance
        _refinement
        _paths
        _optimizer
        _normals
        _audit
        constraints
        _model
        _patterns
        _density
        interop
        stan
        gaussian
        _arrays
        _data_files
        _cache
        _settings
        _pattern
        _status _variables _close_names _errors _optional_packages _version
    """,
    "pathfinder.stan": """
        _simulation
        _program
        _loops
        _statements
        _expressions
        _state
        _checking
        _library
        _demands
        _values
        _parsing
        _types
        _syntax
    """,
    "pathfinder.stan._library": """
        densities solvers transforms
        functions
        numerics
    """,
    "pathfinder_cli": """
        _main
        _commands
        _models
        _inputs
        _console
        _outputs
        _arguments
        _errors
    """,
}


def files(package):
    """Every source file of a package."""
    head, *rooms = package.split(".")
    return sorted(ROOT.joinpath(FOLDERS[head], *rooms).rglob("*.py"))


def module(path):
    """The name by which a source file is imported."""
    head, *parts = path.relative_to(ROOT).with_suffix("").parts
    name = next(name for name, folder in FOLDERS.items() if folder == head)
    return ".".join([name, *(parts[:-1] if parts[-1] == "__init__" else parts)])


MODULES = {module(path): path for package in FOLDERS for path in files(package)}


@cache
def imports(path, *, only_at_load=False):
    """The modules of ours that a file imports, those for type checkers and within functions included."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in loaded(tree.body) if only_at_load else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= parts if parts <= MODULES.keys() else parts | {str(node.module)}
    return frozenset(found)


def loaded(body):
    """Statements that run when a module is loaded."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test):
            yield from loaded(node.body + node.orelse)
        elif isinstance(node, ast.Try):
            yield from loaded(node.body + node.orelse + node.finalbody)


def enclosing_packages(name):
    """What Python has begun to load when it comes to the imports of a module: `a`, `a.b` and `a.b.c` for `a.b.c`."""
    parts = name.split(".")
    return {".".join(parts[: count + 1]) for count in range(len(parts))}


def room(package, name):
    """The part of a package that a module belongs to, if it does."""
    return name.removeprefix(f"{package}.").split(".")[0] if name.startswith(f"{package}.") else None


@pytest.mark.parametrize("package", ORDER)
def test_rooms_are_those_of_the_order(package):
    listed = ORDER[package].split()
    there = {room(package, name) for name in MODULES} - {None, "__main__"}
    assert there == set(listed)


@pytest.mark.parametrize("package", ORDER)
def test_imports_point_down(package):
    height = {name: -row for row, line in enumerate(ORDER[package].strip().splitlines()) for name in line.split()}
    upwards = [
        f"{name} imports {other}"
        for name, path in MODULES.items()
        if (own := room(package, name)) in height
        for other in imports(path)
        if (its := room(package, other)) in height and its != own and height[its] >= height[own]
    ]
    assert not upwards


def test_packages_import_downwards():
    for name, path in MODULES.items():
        found = {other.split(".")[0] for other in imports(path)}
        above = {"psis": {"pathfinder", "pathfinder_cli"}, "pathfinder": {"pathfinder_cli"}}.get(
            name.split(".")[0], set()
        )
        assert not found & above, f"{name} imports upwards"


def test_the_stan_compiler_knows_nothing_of_the_engine():
    ground = ["gaussian", "_arrays", "_data_files", "_variables", "_close_names", "_errors", "_optional_packages"]
    for path in files("pathfinder.stan"):
        found = {
            name for name in imports(path) if name.startswith("pathfinder.") and not name.startswith("pathfinder.stan")
        }
        assert {name.split(".")[1] for name in found} <= set(ground), f"{path}: {found}"


@pytest.mark.parametrize("package", FOLDERS)
def test_files_have_an_order(package):
    """No circle of files, imports within functions and for type checkers included."""
    own = {name: path for name, path in MODULES.items() if name.split(".")[0] == package}
    graph = {name: imports(path) & set(own) - enclosing_packages(name) for name, path in own.items()}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(own) - 1  # a CycleError names the circle


@pytest.mark.parametrize("package", FOLDERS)
def test_no_folder_is_crowded(package):
    count = defaultdict(int)
    for path in files(package):
        count[path.parent] += path.name != "__init__.py"
    assert not {folder: number for folder, number in count.items() if number > MOST_FILES}


@pytest.mark.parametrize("package", FOLDERS)
def test_every_room_says_what_it_is(package):
    """A docstring that says what the room is, what goes in and what comes out; only tables of contents import."""
    doors = {"pathfinder", "pathfinder.stan", "psis", "pathfinder_cli"}
    contents = {
        "pathfinder._data_files",
        "pathfinder.gaussian",
        "pathfinder.plots",
        "pathfinder.stan._library.functions",
        "pathfinder.stan._library.densities",
    }
    for path in files(package):
        if path.name == "__init__.py":
            tree = ast.parse(path.read_text())
            assert ast.get_docstring(tree), path
            assert module(path) in doors | contents or len(tree.body) == 1, f"{path} has more than a docstring"


@pytest.mark.parametrize("package", ["pathfinder", "pathfinder.stan", "psis", "pathfinder_cli"])
def test_names_mean_one_thing(package):
    """No class or function of a package has the name of another, but for what every kind of model file has."""
    shared = {"main", *(name for name in vars(ModelModule) if not name.startswith("_"))}
    places = defaultdict(list)
    for path in files(package):
        if package == "pathfinder" and module(path).startswith("pathfinder.stan"):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_" and node.name not in shared:
                places[node.name].append(module(path))
    assert not {name: found for name, found in places.items() if len(set(found)) > 1}


@pytest.mark.parametrize("package", ["psis", "pathfinder"])
def test_engine_neither_prints_nor_reads(package):
    forbidden = {"logging", "argparse", "pathlib", "os", "csv"}
    for path in files(package):
        # Two write the files that `save` and `write_cmdstan` are asked for, the others those of compiled programs.
        writers = ("pathfinder._results.archive", "pathfinder.interop.samplers.cmdstan", "pathfinder._cache.")
        if not module(path).startswith(writers):
            assert not {name.split(".")[0] for name in imports(path)} & forbidden, path


@pytest.mark.parametrize("package", ["psis", "pathfinder"])
def test_shapes_in_annotations_cost_nothing_when_a_module_is_loaded(package):
    """To make one takes 30 microseconds, and there are a thousand."""
    for path in files(package):
        imported = {node.module for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)}
        assert "jaxtyping" not in imported or "__future__" in imported, path


# The algorithms are written over the array namespace; of JAX they know trees and what its arrays are.
ALGORITHMS = ["_normals", "_optimizer", "_paths", "_refinement", "_importance"]
OWN_DRIVERS = ["compiled_steps", "jaxopt_steps"]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_algorithms_are_written_for_any_arrays(name):
    used = set()
    for path in files("pathfinder"):
        where = module(path)
        if where.startswith(f"pathfinder.{name}") and where.rpartition(".")[2] not in OWN_DRIVERS:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "jax":
                    used.add(f"jax.{node.attr}")
                elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("jax", "jaxlib"):
                    used.add(f"from {node.module}")
                elif isinstance(node, ast.Import):
                    used |= {alias.name for alias in node.names if alias.name.startswith("jax.")}
    assert used <= {"jax.tree_util", "jax.Array"}
