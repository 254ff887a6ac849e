"""Parts of programs, read alone."""

from pathfinder.stan import parse
from pathfinder.stan._syntax.tree import Assignment, Expression, Statement


def the_statement(text: str) -> Statement:
    model = parse(f"model {{ {text} }}").model
    assert model is not None
    (statement,) = model.statements
    return statement


def the_expression(text: str) -> Expression:
    statement = the_statement(f"x = {text};")
    assert isinstance(statement, Assignment)
    return statement.value
