"""What expressions evaluate to."""

from __future__ import annotations

from typing import Any, TypeAlias


Value: TypeAlias = Any
"""A value of a program under evaluation: of an expression, of a variable, of an argument.

The kinds, which `is_static` and the functions of `lanes` tell apart; no type that a checker knows is common to them:

- **Numbers of Python and NumPy scalars**: constants of the program, indices, sizes. Known while the program is traced,
  and written into the trace.
- **NumPy arrays**: data, and what follows from data. Known, too, but hoisted out of the trace as arguments; a real
  number that comes from data is an array without axes (`from_data`).
- **JAX arrays**, tracers nearly always: what depends on parameters, or on the step of a sequential loop.
- **`Lanes`**: one of the arrays above with an axis in front, an entry for each of the iterations that run side by side.
- **`Symbolic`**: no array as yet. A `Step` is a number that is known at every step of a sequential loop; `UnevenArray`,
  `Ragged` and `Alternatives` are containers whose sizes differ between their elements, between lanes, and between the
  sides of a condition on parameters.
- **Tuples** of values: Stan's tuples.

A value belongs to the context of its lanes, and is the same in all lanes of the contexts inside of that one. Whoever
needs the array of all present lanes calls `lift`; whoever computes with operands element by element, `aligned`.
"""
