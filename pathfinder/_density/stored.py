"""Functions whose compiled programs outlive the process, in a store."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax

from pathfinder._density.executables import loaded_executable


# What a user may set in JAX that changes an executable, but not the text of its program.
_COMPILER_OPTIONS = (
    "jax_compiler_enable_remat_pass",
    "jax_disable_most_optimizations",
    "jax_exec_time_optimization_effort",
    "jax_memory_fitting_effort",
    "jax_memory_fitting_level",
    "jax_optimization_level",
)


class Store(Protocol):
    """Keeps byte strings by name. It never raises: what cannot be kept is not there later."""

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, content: bytes) -> None: ...


@dataclass(frozen=True)
class Kept:
    """Where programs of functions are kept that are not stored ones themselves.

    Equal to all others, since programs are the same wherever they are kept.

    Args:
        store: The store; None keeps them in this process alone.
    """

    store: Store | None = field(default=None, compare=False, repr=False)


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
    """The place of a program in a store, found by the program's text.

    Args:
        store: The store.
        details: What else the executable depends on.
        name: If it can also be found by what the program was made of, without tracing that. There stands the name that
            it has by the text: data of the same shapes mostly have the same.
    """

    store: Store
    details: str
    name: str | None = None

    def load(self, arguments: Callable[[Any], tuple[Any, ...]], device: Any) -> tuple[jax.stages.Compiled, Any] | None:
        """The program and what is known of it, if both are there; it need not be traced.

        Args:
            arguments: Gives shapes and types of its arguments from what is known of it.
            device: Where it runs.
        """
        program = None if self.name is None else self.store.read(self.name)
        content = None if program is None else self.store.read(program.decode("ascii", "replace"))
        return None if content is None else loaded_executable(content, arguments, device)

    def find(
        self, lowered: jax.stages.Lowered, arguments: Callable[[Any], tuple[Any, ...]], device: Any
    ) -> tuple[jax.stages.Compiled, Any] | None:
        """The same for a program that was traced and lowered, but need not be compiled."""
        program = self._by_text(lowered)
        content = self.store.read(program)
        found = None if content is None else loaded_executable(content, arguments, device)
        if found is not None and self.name is not None:
            self.store.write(self.name, program.encode())
        return found

    def save(self, lowered: jax.stages.Lowered, content: bytes) -> None:
        """Keep the bytes of what was at last made of a program."""
        program = self._by_text(lowered)
        self.store.write(program, content)
        if self.name is not None:
            self.store.write(self.name, program.encode())

    def _by_text(self, lowered: jax.stages.Lowered) -> str:
        # Arguments that are not used are not in the text, and names of results neither.
        arguments = [(leaf.shape, leaf.dtype) for leaf in jax.tree_util.tree_leaves(lowered.args_info)]
        options = [jax.config.values.get(name) for name in _COMPILER_OPTIONS]
        text = repr((arguments, lowered.out_tree, self.details, options)) + lowered.as_text()
        return hashlib.sha256(text.encode()).hexdigest()


def entry_of(
    functions: tuple[Any, ...], store: Store | None, program: str, executable: tuple[Any, ...], *details: Any
) -> Entry | None:
    """The place of a program that is made of functions; None if it is not to be kept.

    Args:
        functions: Those that have been given. If all are stored ones, the program is found without tracing them.
        store: Where it is kept; stored functions bring their own.
        program: What is made of them.
        executable: What the executable depends on besides the text of the program.
        details: What the text depends on besides the functions, and Python's values of them can tell.
    """
    given = [function for function in functions if function is not None]
    if given and all(isinstance(function, StoredFunction) for function in given):
        text = repr((program, [function.key for function in given], executable, *details))
        return Entry(given[0].store, repr(executable), hashlib.sha256(text.encode()).hexdigest())
    return None if store is None else Entry(store, repr(executable))
