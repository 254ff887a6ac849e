"""`python -m pathfinder_cli` is the command `pathfinder`."""

import sys

from ._main import main


sys.exit(main())
