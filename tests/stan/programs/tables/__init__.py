"""Programs that together use every construct of the language, one or a few in each.

They are small, so that reference numbers can be computed for all of them; `references.json` holds those.
"""

from tests.stan.programs.tables.arrays import ARRAYS
from tests.stan.programs.tables.containers import CONTAINERS
from tests.stan.programs.tables.flow import FLOW
from tests.stan.programs.tables.functions import FUNCTIONS
from tests.stan.programs.tables.independent import INDEPENDENT
from tests.stan.programs.tables.panels import LARGE_PANELS, PANELS
from tests.stan.programs.tables.parameters import PARAMETERS
from tests.stan.programs.tables.ragged import RAGGED
from tests.stan.programs.tables.recurrences import RECURRENCES


LOOPS = INDEPENDENT | RECURRENCES | ARRAYS | RAGGED | PANELS | FLOW
PROGRAMS = LOOPS | LARGE_PANELS | FUNCTIONS | CONTAINERS | PARAMETERS
