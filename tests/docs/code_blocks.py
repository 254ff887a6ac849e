"""Pages beside what their Python blocks print."""

import re
from pathlib import Path

from tests.docs.pages import PAGES, ROOT, SITE, has_examples, page_name, run_examples


WITH_EXAMPLES = list(filter(has_examples, PAGES))
# pages that a newcomer reads
FIRST_STEPS = [ROOT / "README.md", *(SITE / f"{name}.md" for name in ("getting-started", "models", "results", "faq"))]


def words(text: str) -> list[str]:
    """Each line up to its first number: what does not depend on rounding, timing or the version of JAX."""
    return [" ".join(re.split(r"[-+]?\d", line, maxsplit=1)[0].split()) for line in text.rstrip().splitlines()]


def assert_blocks_run_and_print_what_is_shown(path: Path) -> None:
    """Every Python block of a page runs, and prints what is shown below it, apart from the numbers."""
    for example in run_examples(path):
        if example.shown is not None:
            where = f"{page_name(path)}:{example.line}; `python -m tests.docs.pages` rewrites the outputs"
            assert words(example.printed) == words(example.shown), where
