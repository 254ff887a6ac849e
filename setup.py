"""The packages, found in their folders; all else stands in pyproject.toml."""

from setuptools import find_packages, setup


# the folder cli/ is the package pathfinder_cli
command_line = ["pathfinder_cli", *(f"pathfinder_cli.{name}" for name in find_packages("cli"))]
setup(
    packages=[*find_packages(include=["pathfinder*", "psis*"], exclude=["pathfinder_cli*"]), *command_line],
    package_dir={"pathfinder_cli": "cli"},
)
