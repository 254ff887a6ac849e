r"""Precedence and associativity of the operators.

Source: Stan reference manual, "Expressions", table of operators, and the declarations at the head of stanc3's
`src/frontend/parser.mly`, which the numbers follow where the manual is silent (`%/%` binds as `\`, `.^` as `^`).
A larger number binds tighter.
"""

STATEMENT = -1  # as ANY, but `<-` ends the expression
ANY = 0
CONDITIONAL = 1
COMPARISON = 5
ADDITIVE = 6  # what bounds may hold: `>` ends them
PREFIX_POWER = 9
POSTFIX_POWER = 11

BINARY_POWER = {
    "||": 2,
    "&&": 3,
    "==": 4,
    "!=": 4,
    "<": COMPARISON,
    "<=": COMPARISON,
    ">": COMPARISON,
    ">=": COMPARISON,
    "+": ADDITIVE,
    "-": ADDITIVE,
    "*": 7,
    "/": 7,
    "%": 7,
    ".*": 7,
    "./": 7,
    "\\": 8,
    "%/%": 8,
    "^": 10,
    ".^": 10,
}
RIGHT_ASSOCIATIVE = {"^", ".^"}
PREFIX = ("!", "-", "+")
ASSIGNMENT = ("=", "+=", "-=", "*=", "/=", ".*=", "./=")


def operand_powers(operator: str) -> tuple[int, int]:
    """How tightly the left and right operands of a binary operator must bind to stand without parentheses."""
    power = BINARY_POWER[operator]
    return (power + 1, power) if operator in RIGHT_ASSOCIATIVE else (power, power + 1)
