"""The pictures of the rooms in docs/internals.md, drawn from the imports of the source.

`python -m tests.docs.rooms` draws them anew.
"""

import re
from os.path import commonprefix

from tests.test_house import MODULES, ORDER, ROOT, imports, room


PAGE = ROOT / "docs" / "internals.md"
_PICTURE = re.compile(r"(<!-- rooms of ([\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pictures(text: str) -> dict[str, str]:
    """The pictures on a page, by the package that they show."""
    return {match[2]: match[0] for match in _PICTURE.finditer(text)}


def redrawn(text: str) -> str:
    """A page with its pictures drawn anew."""
    return _PICTURE.sub(lambda match: f"{match[1]}\n```mermaid\n{picture(match[2])}```\n\n{match[3]}", text)


def picture(package: str) -> str:
    """The rooms of a package from top to bottom with their arrows, as a flowchart of Mermaid.

    What a room reaches through another gets no arrow of its own. An arrow is dashed where all imports are within
    functions, or for type checkers. Round boxes are outside of the package.
    """
    late = arrows(package)
    own = [name for name in ORDER[package].split() if any(name in arrow for arrow in late)]
    outside = sorted({target for _, target in late} - set(own))
    lines = [f"    {name}[{name}]" for name in own] + [f"    {name}([{name}])" for name in outside]
    for source, target in essential(list(late), [*own, *outside]):
        lines.append(f"    {source} {'-.->' if late[source, target] else '-->'} {target}")
    return "\n".join(["flowchart TD", *lines]) + "\n"


def arrows(package: str) -> dict[tuple[str, str], bool]:
    """Which room of a package imports which, or what outside of it, and whether none of these imports is at load."""
    late: dict[tuple[str, str], bool] = {}
    for name, path in MODULES.items():
        source = room(package, name)
        if source in ORDER[package].split():
            at_load = imports(path, only_at_load=True)
            for other in imports(path):
                target = destination(package, other)
                if target not in (None, source):
                    late[source, target] = late.get((source, target), True) and other not in at_load
    return late


def destination(package: str, name: str) -> str | None:
    """What a module belongs to as seen from a package: one of its rooms, or what stands beside it or above it."""
    if name.split(".")[0] not in {module.split(".")[0] for module in MODULES}:
        return None
    common = commonprefix([package.split("."), name.split(".")])
    rest = name.split(".")[len(common) :]
    return rest[0] if rest else None


def essential(found: list[tuple[str, str]], order: list[str]) -> list[tuple[str, str]]:
    """The arrows without those that a way downwards through another room stands for."""
    direct = {name: [target for source, target in found if source == name] for name in order}
    reached: dict[str, set[str]] = {}
    for name in reversed(order):
        reached[name] = set().union(*[{target, *reached[target]} for target in direct[name] if target in reached])
    return [
        (name, target)
        for name in order
        for target in sorted(direct[name], key=order.index)
        if not any(target in reached[other] for other in direct[name] if order.index(other) > order.index(name))
    ]


def rewrite() -> None:
    """Draw the pictures of the page anew."""
    PAGE.write_text(redrawn(PAGE.read_text()))


if __name__ == "__main__":
    rewrite()
