"""The `app` command of the application with the suite's own routes, as `python -m` runs it.

Each worker of `app serve` imports this module too.
"""

import tests
from app.cli.main import main
from app.core import registry
from tests.faults import rooms

registry.PLACES += [tests, rooms]

if __name__ == "__main__":
    main()
