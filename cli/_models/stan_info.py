"""What a Stan program declares and calls, in the form of stanc's option `--info`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from pathfinder.stan import CheckedProgram
    from pathfinder.stan._types.types import Type


_DENSITIES = ("lpdf", "lpmf", "lupdf", "lupmf", "lcdf", "lccdf", "cdf", "log", "cdf_log", "ccdf_log")


def program_info(checked: "CheckedProgram", included: Mapping[str, str]) -> dict[str, Any]:
    """Variables with their types, functions and distributions of the library, and included files.

    As in stanc, vectors and matrices are dimensions of real (or complex) numbers.
    """
    program = checked.program
    functions, distributions = set(), set()
    for name in _called(checked):
        _, underscore, suffix = name.rpartition("_")  # `log` alone is no density
        (distributions if underscore and suffix in _DENSITIES else functions).add(name)
    return {
        "inputs": _variables(program.data),
        "parameters": _variables(program.parameters),
        "transformed parameters": _variables(program.transformed_parameters),
        "generated quantities": _variables(program.generated_quantities),
        "functions": sorted(functions),
        "distributions": sorted(distributions),
        "included_files": list(included),
    }


def _variables(block: Any) -> dict[str, Any]:
    from pathfinder.stan._program.program import declarations
    from pathfinder.stan._types.types import declared_type

    return {node.name.text: _type(declared_type(node.type)) for node in declarations(block)}


def _type(type_: "Type") -> dict[str, Any]:
    if type_.base == "tuple":
        return {"type": [_type(element) for element in type_.elements], "dimensions": type_.dims}
    inner = 2 if type_.base.endswith("matrix") else 1 if type_.base.endswith("vector") else 0
    base = "int" if type_.base == "int" else "complex" if type_.base.startswith("complex") else "real"
    return {"type": base, "dimensions": type_.dims + inner}


def _called(checked: "CheckedProgram") -> Iterator[str]:
    """Names of the library's functions that are called, to which stanc counts the statements that print."""
    from pathfinder.stan._syntax.traversal import nodes
    from pathfinder.stan._syntax.tree import Call, FatalError, Print, Reject, Sampling

    statements = {Print: "print", Reject: "reject", FatalError: "fatal_error"}
    for node in nodes(checked.program):
        if isinstance(node, Sampling) and checked.definition(node) is None:
            name = checked.library_name(node)
            yield name.replace("_lpdf", "_lupdf").replace("_lpmf", "_lupmf")
        elif isinstance(node, Call) and checked.definition(node) is None:
            yield checked.library_name(node)
        elif type(node) in statements:
            yield statements[type(node)]
