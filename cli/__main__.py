"""`python -m pathfinder_cli` is the command `pathfinder`."""

import sys

from pathfinder_cli._main import main


sys.exit(main())
