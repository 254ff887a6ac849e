"""Where an evaluation stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pathfinder.stan._state.steering import Returns
from pathfinder.stan._state.variables import LaneLoop, Scope
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.restorable import Restorable
from pathfinder.stan._values.steps import Scan
from pathfinder.stan._values.value import Value


@dataclass(eq=False)
class Frame(Restorable):
    """All that a piece of program changes, but for what is inside of variables, scopes and scans.

    Whoever tries something takes a `Machine.snapshot` first, which saves this whole.

    Attributes:
        root: The context around everything.
        context: The present one.
        scope: The variables that are seen.
        mask: The condition under which statements count, where it is not known from the data; None if there is none.
        ok: Whether the point has not been rejected.
        target: The log density so far.
        loops: Loops whose iterations run side by side, from the outermost inwards.
        scans: Loops whose iterations run one after another in JAX.
        watched: Names of the variables that are assigned in `loops`.
        broken: For each sequential loop under way, the lanes (context and mask) that have left it.
        returns: What the user's functions under way have returned, from the outermost inwards.
        flat_ranges: Whether ranges whose sizes differ between lanes are taken instead of refused.
        random_key: For random numbers.
        random_calls: How often some have been drawn.
        printed: What `print` is to say when the compiled program runs; see `print_statements`.
        is_silent: Whether `print` says nothing, as what runs now will run again.
    """

    root: Context = field(default_factory=lambda: Context(1))
    context: Context = field(init=False)
    scope: Scope = field(default_factory=Scope)
    mask: Value | None = None
    ok: Any = True
    target: Any = 0.0
    loops: tuple[LaneLoop, ...] = ()
    scans: tuple[Scan, ...] = ()
    watched: frozenset[str] = frozenset()
    broken: tuple[tuple[tuple[Context, Value | None], ...], ...] = ()
    returns: tuple[Returns, ...] = ()
    flat_ranges: bool = False
    random_key: Any = None
    random_calls: int = 0
    printed: tuple[Any, ...] = ()
    is_silent: bool = False

    def __post_init__(self) -> None:
        self.context = self.root

    def changed(self, name: str, value: Any) -> Changed:
        """Run with another value of one field, and put that field back."""
        return Changed(self, name, value)

    def leave_loop(self) -> None:
        """The present lanes leave the innermost sequential loop."""
        *outer, inner = self.broken
        self.broken = (*outer, (*inner, (self.context, self.mask)))

    def leave_function(self, value: Value) -> None:
        """The present lanes return from the innermost function, and leave the loops in it."""
        *outer, inner = self.returns
        kept, left = self.broken[: inner.loops], self.broken[inner.loops :]
        self.broken = (*kept, *((*loop, (self.context, self.mask)) for loop in left))
        self.returns = (*outer, inner.joined_by(self.context, self.mask, value))


class Changed:
    """A field of a frame is another one for a while; a class, since generators take several times as long to enter."""

    __slots__ = ("frame", "name", "outer", "value")

    def __init__(self, frame: Frame, name: str, value: Any) -> None:
        self.frame, self.name, self.value = frame, name, value

    def __enter__(self) -> Any:
        self.outer = getattr(self.frame, self.name)
        setattr(self.frame, self.name, self.value)
        return self.value

    def __exit__(self, *error: object) -> None:
        setattr(self.frame, self.name, self.outer)


class Leavable:
    """A sequential loop: lanes that have left it go on when it ends, unless they have left loops around it, too."""

    __slots__ = ("depth", "frame", "mask")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __enter__(self) -> None:
        self.depth, self.mask = len(self.frame.broken), self.frame.mask
        self.frame.broken = (*self.frame.broken, ())

    def __exit__(self, *error: object) -> None:
        self.frame.broken, self.frame.mask = self.frame.broken[: self.depth], self.mask
