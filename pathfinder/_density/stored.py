"""Functions whose compiled programs outlive the process, in a store."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax

from pathfinder._density.executables import loaded_executable


class Store(Protocol):
    """Keeps byte strings by name. It never raises: what cannot be kept is not there later."""

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, content: bytes) -> None: ...


@dataclass(frozen=True)
class StoredFunction:
    """A function whose compiled programs are kept in a store.

    Equal to others of the same key.

    Args:
        key: Tells it from all other functions, versions and machines.
        store: Where programs are kept.
        make: Gives the function itself, if something is not in the store and has to be traced; called before that, as
            what it computes is no part of a trace.
    """

    key: str
    store: Store = field(compare=False, repr=False)
    make: Callable[[], Callable[..., Any]] = field(compare=False, repr=False)

    def __call__(self, *arguments: Any) -> Any:
        return self.make()(*arguments)


def traceable(function: Any) -> Any:
    """The function itself, if it is a stored one."""
    return function.make() if isinstance(function, StoredFunction) else function


@dataclass(frozen=True)
class Entry:
    """The place of a program in a store, found by what it was made of.

    There stands the name of its executable, which is found by the program's text, too: data of the same shapes mostly
    have the same.
    """

    store: Store
    name: str

    def load(self, arguments: Callable[[Any], tuple[Any, ...]], device: Any) -> tuple[jax.stages.Compiled, Any] | None:
        """The program and what is known of it, if both are there; it need not be traced.

        Args:
            arguments: Gives shapes and types of its arguments from what is known of it.
            device: Where it runs.
        """
        program = self.store.read(self.name)
        content = None if program is None else self.store.read(program.decode("ascii", "replace"))
        return None if content is None else loaded_executable(content, arguments, device)

    def find(
        self, lowered: jax.stages.Lowered, arguments: Callable[[Any], tuple[Any, ...]], device: Any
    ) -> tuple[jax.stages.Compiled, Any] | None:
        """The same for a program that was traced and lowered, but need not be compiled."""
        program = _name_of(lowered)
        content = self.store.read(program)
        found = None if content is None else loaded_executable(content, arguments, device)
        if found is not None:
            self.store.write(self.name, program.encode())
        return found

    def save(self, lowered: jax.stages.Lowered, content: bytes) -> None:
        """Keep the bytes of a program."""
        program = _name_of(lowered)
        self.store.write(program, content)
        self.store.write(self.name, program.encode())


def _name_of(lowered: jax.stages.Lowered) -> str:
    # Arguments that are not used are not in the text, and names of results neither.
    arguments = [(leaf.shape, leaf.dtype) for leaf in jax.tree_util.tree_leaves(lowered.args_info)]
    text = repr((arguments, lowered.out_tree)) + lowered.as_text()
    return hashlib.sha256(text.encode()).hexdigest()


def entry_of(functions: tuple[Any, ...], program: str, *details: Any) -> Entry | None:
    """The place of a program that is made of functions; None if one of them is not stored.

    Args:
        functions: Those that have been given.
        program: What is made of them.
        details: Whatever else the program depends on; told apart by their text.
    """
    given = [function for function in functions if function is not None]
    if not given or not all(isinstance(function, StoredFunction) for function in given):
        return None
    text = repr((program, [function.key for function in given], *details))
    return Entry(given[0].store, hashlib.sha256(text.encode()).hexdigest())
