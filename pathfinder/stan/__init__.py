"""Stan programs: read, checked, printed and fitted without a Stan compiler."""

from pathfinder.stan._checking.programs import CheckedProgram as CheckedProgram
from pathfinder.stan._checking.programs import check as check
from pathfinder.stan._parsing.programs import parse as parse
from pathfinder.stan._parsing.programs import parse_functions as parse_functions
from pathfinder.stan._program.data import StanDataError as StanDataError
from pathfinder.stan._program.explain import explain as explain
from pathfinder.stan._simulation import simulator as simulator
from pathfinder.stan._state.errors import StanEvaluationError as StanEvaluationError
from pathfinder.stan._syntax.diagnostics import Diagnostic as Diagnostic
from pathfinder.stan._syntax.diagnostics import StanError as StanError
from pathfinder.stan._syntax.diagnostics import StanSyntaxError as StanSyntaxError
from pathfinder.stan._syntax.diagnostics import StanTypeError as StanTypeError
from pathfinder.stan._syntax.program_text import print_program as print_program
