"""Stan programs: read, checked, printed and fitted without a Stan compiler."""

from pathfinder.stan._data import StanDataError as StanDataError
from pathfinder.stan._diagnostics import Diagnostic as Diagnostic
from pathfinder.stan._diagnostics import StanError as StanError
from pathfinder.stan._diagnostics import StanSyntaxError as StanSyntaxError
from pathfinder.stan._diagnostics import StanTypeError as StanTypeError
from pathfinder.stan._explain import explain as explain
from pathfinder.stan._parser import parse as parse
from pathfinder.stan._parser import parse_functions as parse_functions
from pathfinder.stan._printer import print_program as print_program
from pathfinder.stan._run import StanEvaluationError as StanEvaluationError
from pathfinder.stan._typecheck import CheckedProgram as CheckedProgram
from pathfinder.stan._typecheck import check as check
