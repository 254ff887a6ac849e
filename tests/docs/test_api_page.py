"""The API page gives the signatures and members of every public name as they are."""

import ast
import dataclasses
import inspect
import re

import pytest

import pathfinder
import psis
from tests.docs.pages import SITE


PAGE = (SITE / "api.md").read_text()
ENTRIES = dict(re.findall(r"^### `([\w.]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def public(module):
    return {name for name in vars(module) if not name.startswith("_") and not inspect.ismodule(getattr(module, name))}


def resolve(name):
    module, *path = name.split(".")
    value = {"pathfinder": pathfinder, "psis": psis}[module]
    for part in path:
        value = getattr(value, part)
    return value


def shown_parameters(entry):
    """Name, default and whether by keyword only, of each parameter in the first block."""
    block = re.search(r"^```text\n(.*?)^```$", entry, re.MULTILINE | re.DOTALL)
    call = re.sub(r"^[\w.]+\(", "def f(", block[1].strip()) + ": ..."
    arguments = ast.parse(call).body[0].args
    required = [None] * (len(arguments.args) - len(arguments.defaults))
    pairs = [
        *((a, d, False) for a, d in zip(arguments.args, required + arguments.defaults, strict=True)),
        *((a, d, True) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)),
    ]
    shown = [(a.arg, None if d is None else ast.unparse(d), keyword) for a, d, keyword in pairs]
    if arguments.kwarg is not None:
        assert arguments.kwarg.arg == "options"
        shown += [(field.name, repr(field.default), True) for field in dataclasses.fields(pathfinder.Settings)]
    return shown


def real_parameters(function):
    shown = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind == parameter.VAR_KEYWORD:
            shown += [(field.name, repr(field.default), True) for field in dataclasses.fields(pathfinder.Settings)]
        elif parameter.name != "self":
            default = None if parameter.default is parameter.empty else repr(parameter.default)
            default = "dict()" if default == "<factory>" else default  # of a dataclass
            shown.append((parameter.name, default, parameter.kind == parameter.KEYWORD_ONLY))
    return shown


def test_every_public_name_has_an_entry():
    names = {f"pathfinder.{name}" for name in public(pathfinder)} | {f"psis.{name}" for name in public(psis)}
    assert names - set(ENTRIES) == set()
    for name in ENTRIES:
        resolve(name)


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if "```text" in entry])
def test_signature_is_that_of_the_code(name):
    assert shown_parameters(ENTRIES[name]) == real_parameters(resolve(name))


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if "\nMembers: " in entry])
def test_members_are_all_there(name):
    value = resolve(name)
    inherited = {member for base in value.__mro__[1:] for member in vars(base)}
    fields = {field.name for field in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else set()
    own = {member for member in vars(value) if not member.startswith("_")} - inherited
    listed = re.search(r"\nMembers: (.*?)\n(?=\n|\Z)", ENTRIES[name], re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)", listed)) == own | fields
