"""Stan programs: read and printed without a Stan compiler."""

from pathfinder.stan._diagnostics import Diagnostic as Diagnostic
from pathfinder.stan._diagnostics import StanSyntaxError as StanSyntaxError
from pathfinder.stan._parser import parse as parse
from pathfinder.stan._parser import parse_functions as parse_functions
from pathfinder.stan._printer import print_program as print_program
