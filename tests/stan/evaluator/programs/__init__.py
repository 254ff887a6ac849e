"""Programs that together use every construct of the language, one or a few in each.

They are small, so that reference numbers can be computed for all of them; `references.json` holds those.
"""

from tests.stan.evaluator.programs.arrays import ARRAYS
from tests.stan.evaluator.programs.containers import CONTAINERS
from tests.stan.evaluator.programs.flow import FLOW
from tests.stan.evaluator.programs.functions import FUNCTIONS
from tests.stan.evaluator.programs.independent import INDEPENDENT
from tests.stan.evaluator.programs.panels import LARGE_PANELS, PANELS
from tests.stan.evaluator.programs.parameters import PARAMETERS
from tests.stan.evaluator.programs.ragged import RAGGED
from tests.stan.evaluator.programs.recurrences import RECURRENCES


LOOPS = INDEPENDENT | RECURRENCES | ARRAYS | RAGGED | PANELS | FLOW
PROGRAMS = LOOPS | LARGE_PANELS | FUNCTIONS | CONTAINERS | PARAMETERS
