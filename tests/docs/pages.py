"""The pages of the documentation: their code blocks, links and generated parts.

`python -m tests.docs.pages` rewrites what is generated: the outputs below code blocks, the pictures that these write,
the table of settings, the arguments of the command line and the pictures of the rooms (`python -m tests.docs.rooms`
draws these alone).
"""

import contextlib
import dataclasses
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax

from pathfinder import Settings
from tests.docs import arguments, rooms


ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs"
PAGES = [*(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")), *sorted(SITE.rglob("*.md"))]
CACHE_VARIABLE = "JAX_COMPILATION_CACHE_DIR"
SETTINGS_PAGE = SITE / "settings.md"
PICTURES = SITE / "pictures"

_FENCE = re.compile(r"^```([^\n]*)\n.*?^```$", re.MULTILINE | re.DOTALL)
# Blocks with a title need what few machines have, and say what: these do not run.
_EXAMPLE = re.compile(r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Example(NamedTuple):
    """A Python block that ran: what it printed, and the text block right below it, which shows that."""

    line: int
    printed: str
    shown: str | None
    span: tuple[int, int]  # of `shown` in the page


def page_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def fences(text: str) -> list[str]:
    """What stands behind the opening fence of each block."""
    return [match[1] for match in _FENCE.finditer(text)]


def has_examples(path: Path) -> bool:
    return _EXAMPLE.search(path.read_text()) is not None


def run_examples(path: Path, pictures: Path | None = None) -> Iterator[Example]:
    """Run the Python blocks of a page, in order and in one namespace, in an empty folder but for the examples.

    JAX has its own defaults, single precision among them, until a block changes them. What the command line keeps of
    its runs begins empty, as it prints what it knows of them.

    Args:
        path: The page.
        pictures: Folder for the pictures that the blocks write, if they are to be kept.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    double = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", False)
    text, kept_in = path.read_text(), os.environ.get(CACHE_VARIABLE)
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            os.environ[CACHE_VARIABLE] = str(Path(folder) / "cache")
            Path("examples").symlink_to(ROOT / "examples")
            for match in _EXAMPLE.finditer(text):
                line = text.count("\n", 0, match.start(1))
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    # Newlines before the code, so that tracebacks have the line numbers of the page.
                    exec(compile("\n" * line + match[1], str(path), "exec"), namespace)
                yield Example(line + 1, printed.getvalue(), match[2], match.span(2))
            for picture in Path().glob("*.png") if pictures else ():
                shutil.copy(picture, pictures)
    finally:
        jax.config.update("jax_enable_x64", double)
        os.environ.pop(CACHE_VARIABLE, None)
        if kept_in is not None:
            os.environ[CACHE_VARIABLE] = kept_in


def links(text: str) -> list[str]:
    """Targets of the links outside of code."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text)))


def anchors(text: str) -> set[str]:
    """Anchors of the headings, as MkDocs and GitHub make them."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip()) for heading in headings}


def table(text: str, first_column: str) -> str:
    """The table whose first column has that heading."""
    found = re.search(rf"^\| {first_column} \|.*\n(?:\|.*\n)+", text, re.MULTILINE)
    assert found is not None, f"no table begins with the column {first_column!r}"
    return found[0]


def settings_table() -> str:
    """The table of settings, from their declarations."""
    rows = ["| option | default | value | meaning |", "|---|---|---|---|"]
    for field in dataclasses.fields(Settings):
        rows.append(f"| `{field.name}` | `{field.default!r}` | {_rule(field.name)} | {field.metadata['help']} |")
    return "\n".join(rows) + "\n"


def _rule(name: str) -> str:
    """Which values an option takes, from what it says of a wrong one."""
    may_be_none = True
    try:
        Settings(**{name: None})
    except ValueError:
        may_be_none = False
    try:
        Settings(**{name: object()})
    except ValueError as error:
        rule = str(error).split(" must be ", 1)[1].rsplit(", but ", 1)[0]
        return f"{rule}, or None" if may_be_none else rule
    raise AssertionError(f"{name} takes any value")


def _rewrite() -> None:
    rooms.rewrite()
    arguments.rewrite()
    text = SETTINGS_PAGE.read_text()
    SETTINGS_PAGE.write_text(text.replace(table(text, "option"), settings_table()))
    for path in filter(has_examples, PAGES):
        examples = list(run_examples(path, PICTURES))
        text = path.read_text()
        for example in reversed(examples):
            if example.shown is not None:
                start, end = example.span
                text = text[:start] + example.printed + text[end:]
        path.write_text(text)


if __name__ == "__main__":
    jax.config.update("jax_enable_compilation_cache", False)  # what is printed is what first fits cost
    _rewrite()
