"""Random programs made of loops, and what they mean.

A program comes as Stan's text and is run here by a plain interpreter, iteration after iteration, on Python numbers. It
is made of analytic functions, so that complex parameters with a tiny imaginary part give exact derivatives (Squire and
Trapp 1998).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st


N = 5
DATA = {
    "N": N,
    "g": [2, 5, 2, 1, 4],
    "h": [4, 3, 5, 1, 2],
    "c": [1, 0, 0, 1, 1],
    "len": [3, 0, 5, 1, 2],
    "first": [1, 3, 4, 4, 6],
    "last": [2, 3, 3, 5, 5],
    "y": [0.6, -0.4, 1.1, 0.3, -0.8],
}
HEAD = """data { int N; array[N] int g; array[N] int h; array[N] int c; array[N] int len;
  array[N] int first; array[N] int last; vector[N] y; }
parameters { vector[N] p; vector[2] q; }
model {
  vector[N] a = y;
  vector[N] b = p;
  matrix[N, N] m = p * y';
  real s = 0.3;
  real r = q[1];
  int k = 1;
"""
TAIL = """  target += dot_product(a, y) + 0.7 * dot_self(b) + sum(m .* (y * p')) + s * 1.3 + r * q[2] + k * p[1];
}
"""
DIM = N + 2


@dataclass(frozen=True)
class Loop:
    """A loop around: its variable, and whether its neighbours are within 1 and N, too."""

    variable: str
    has_before: bool
    has_after: bool


@dataclass(frozen=True)
class Term:
    """A piece of program: Stan's text, and the same in Python."""

    stan: str
    python: str


def indices(loops: tuple[Loop, ...]) -> st.SearchStrategy[Term]:
    """Indices between 1 and N."""
    found = [Term("1", "1"), Term("N", "N"), Term("3", "3"), Term("(1 + k % N)", "(1 + k % N)")]
    for loop in loops:
        name = loop.variable
        found += [Term(name, name)] * 4
        found += [Term(f"{array}[{name}]", f"{array}[{name} - 1]") for array in ("g", "h")]
        found.append(Term(f"N + 1 - {name}", f"N + 1 - {name}"))
        if loop.has_before:
            found += [Term(f"{name} - 1", f"{name} - 1")] * 2
        if loop.has_after:
            found += [Term(f"{name} + 1", f"{name} + 1")] * 2
    return st.sampled_from(found)


@st.composite
def places(draw: Any, loops: tuple[Loop, ...], names: tuple[str, ...]) -> Term:
    """Elements that can be assigned."""
    name = draw(st.sampled_from(names))
    if name in ("s", "r"):
        return Term(name, name)
    at = [draw(indices(loops)) for _ in range(2 if name == "m" else 1)]
    inside = ", ".join(term.stan for term in at)
    return Term(f"{name}[{inside}]", f"{name}[{', '.join(f'{term.python} - 1' for term in at)}]")


READ = ("a", "a", "b", "b", "m", "s", "r", "y", "p")
WRITTEN = ("a", "a", "b", "m", "s", "r")


@st.composite
def numbers(draw: Any, loops: tuple[Loop, ...], depth: int = 2) -> Term:
    """Real expressions."""
    kind = draw(st.integers(0, 7)) if depth else 0
    if kind <= 3:
        return draw(places(loops, READ))
    left = draw(numbers(loops, depth - 1))
    if kind == 4:
        return Term(f"sin({left.stan})", f"np.sin({left.python})")
    if kind == 5:
        return Term(f"0.5 * ({left.stan})", f"0.5 * ({left.python})")
    right = draw(numbers(loops, depth - 1))
    operator = "+" if kind == 6 else "-"
    return Term(f"{left.stan} {operator} ({right.stan})", f"{left.python} {operator} ({right.python})")


@st.composite
def conditions(draw: Any, loops: tuple[Loop, ...], kinds: tuple[str, ...]) -> Term:
    """On data, on the iteration, on the counter, or on parameters."""
    kind = draw(st.sampled_from(kinds))
    at = draw(indices(loops))
    if kind == "data":
        return Term(f"c[{at.stan}]", f"c[{at.python} - 1]")
    if kind == "counter":
        return Term("k % 2 == 0", "k % 2 == 0")
    if kind == "iteration":
        other = draw(indices(loops))
        return Term(f"{at.stan} > {other.stan}", f"{at.python} > {other.python}")
    value = draw(numbers(loops, 1))
    return Term(f"{value.stan} > 0.137", f"np.real({value.python}) > 0.137")


def indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


@st.composite
def statements(draw: Any, loops: tuple[Loop, ...], depth: int) -> Term:
    """One statement."""
    kinds = ["assign"] * 4 + ["add"] * 2 + ["target", "scalar", "slice", "counter"]
    kinds += (["if", "if"] if depth else []) + ["loop"] * (2 if depth and len(loops) < 2 else 0)
    kind = draw(st.sampled_from(kinds))
    if kind in ("assign", "add"):
        place, value = draw(places(loops, WRITTEN)), draw(numbers(loops))
        if kind == "add":
            return Term(f"{place.stan} += {value.stan};", f"{place.python} += {value.python}")
        return Term(f"{place.stan} = sin({value.stan});", f"{place.python} = np.sin({value.python})")
    if kind == "scalar":
        value, place = draw(numbers(loops)), draw(places(loops, WRITTEN))
        stan = f"{{ real z = cos({value.stan}); {place.stan} = z * 0.9; target += z; }}"
        return Term(stan, f"z = np.cos({value.python})\n{place.python} = z * 0.9\ntarget += z")
    if kind == "slice":
        return draw(slices(loops))
    if kind == "counter":
        return Term("k += 1;", "k += 1")
    if kind == "target":
        value = draw(numbers(loops))
        return Term(f"target += {value.stan};", f"target += {value.python}")
    if kind == "if":
        condition = draw(conditions(loops, ("data", "iteration", "counter", "parameter")))
        body = draw(st.one_of(bodies(loops, depth - 1), leaving()))
        stan, python = f"if ({condition.stan}) {{\n{body.stan}}}", f"if {condition.python}:\n{body.python}"
        if draw(st.booleans()):
            other = draw(bodies(loops, depth - 1))
            stan, python = f"{stan} else {{\n{other.stan}}}", f"{python}else:\n{other.python}"
        return Term(stan, python)
    return draw(nests(loops, depth))


def leaving() -> st.SearchStrategy[Term]:
    return st.sampled_from([Term("  continue;\n", "  continue\n"), Term("  break;\n", "  break\n")])


@st.composite
def slices(draw: Any, loops: tuple[Loop, ...]) -> Term:
    """Statements on parts of vectors."""
    at, other = draw(indices(loops)), draw(indices(loops))
    row, column = f"m[{at.python} - 1, :]", f"m[:, {at.python} - 1]"
    return draw(
        st.sampled_from(
            [
                Term("a[1:2] = b[2:3];", "a[0:2] = b[1:3]"),
                Term("b[2:3] += 0.3 * a[{1, 5}];", "b[1:3] += 0.3 * a[[0, 4]]"),
                Term(f"m[{at.stan}] = 0.5 * b';", f"{row} = 0.5 * b"),
                Term(f"m[, {at.stan}] = sin(a);", f"{column} = np.sin(a)"),
                Term(f"a = 0.5 * m[, {at.stan}];", f"a = 0.5 * {column}"),
                Term(f"b[g] = m[{at.stan}, h]';", f"b[np.array(g) - 1] = m[{at.python} - 1, np.array(h) - 1]"),
                Term(f"s += sum(a[1:{at.stan}]);", f"s += np.sum(a[: {at.python}])"),
                Term(f"r = sum(a[{at.stan}:N] - b[{at.stan}:N]);", f"r = np.sum((a - b)[{at.python} - 1 :])"),
                Term(
                    f"a[{at.stan}:N] = sin(b[{at.stan}:N]) * p[{other.stan}];",
                    f"a[{at.python} - 1 :] = np.sin(b[{at.python} - 1 :]) * p[{other.python} - 1]",
                ),
            ]
        )
    )


@st.composite
def bodies(draw: Any, loops: tuple[Loop, ...], depth: int) -> Term:
    """A few statements."""
    found = draw(st.lists(statements(loops, depth), min_size=1, max_size=3))
    return Term(indented("\n".join(term.stan for term in found)), indented("\n".join(term.python for term in found)))


@st.composite
def nests(draw: Any, loops: tuple[Loop, ...] = (), depth: int = 2) -> Term:
    """A loop with what is in it."""
    variable = "ij"[len(loops)]
    ranges = [("1", "N", False, False), ("2", "N", True, False), ("1", "N - 1", False, True), ("2", "4", True, True)]
    if loops:
        ranges += [("1", "i", False, False), ("i", "N", False, False), ("1", "i - 1", False, True)]
        ranges += [("i + 1", "N", True, False), ("1", "2", False, True)]
    lower, upper, has_before, has_after = draw(st.sampled_from(ranges))
    upper_python = upper
    if loops and draw(st.integers(0, 6)) == 0:
        lower, upper, upper_python, has_before, has_after = "1", "len[i]", "len[i - 1]", False, False
    lower_python = lower
    if loops and draw(st.integers(0, 3)) == 0:  # a stretch of its own for each iteration
        more = draw(st.sampled_from(["", " + 1"]))
        lower, lower_python, has_before, has_after = f"first[i]{more}", f"first[i - 1]{more}", bool(more), False
        upper, upper_python = "last[i]", "last[i - 1]"
    body = draw(bodies((*loops, Loop(variable, has_before, has_after)), depth - 1))
    return Term(
        f"for ({variable} in {lower}:{upper}) {{\n{body.stan}}}",
        f"for {variable} in range({lower_python}, {upper_python} + 1):\n{body.python}",
    )


@st.composite
def programs(draw: Any) -> Term:
    """A program of one or two nests."""
    found = draw(st.lists(nests(), min_size=1, max_size=2))
    stan = HEAD + indented("\n".join(term.stan for term in found)) + TAIL
    return Term(stan, "\n".join(term.python for term in found))


_SETUP = """def density(p, q, N, g, h, c, len, first, last, y):
  y = np.array(y)
  a, b, m = y.astype(complex), p.copy(), np.outer(p, y)
  s, r, k, target = 0.3, q[0], 1, 0.0
"""
_END = """  return target + a @ y + 0.7 * (b @ b) + np.sum(m * np.outer(y, p)) + s * 1.3 + r * q[1] + k * p[0]
"""


def meaning(program: Term, position: np.ndarray) -> tuple[float, np.ndarray]:
    """Log density and gradient, by the interpreter."""
    names: dict[str, Any] = {"np": np}
    exec(_SETUP + indented(program.python) + _END, names)
    gradient = []
    for axis in range(len(position)):
        moved = position.astype(complex)
        moved[axis] += 1e-30j
        value = names["density"](moved[:N], moved[N:], **DATA)
        gradient.append(np.imag(value) / 1e-30)
    return float(np.real(value)), np.array(gradient)
