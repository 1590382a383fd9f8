"""Writes copies of the example entity into the project: `python -m bench.copies NUMBER`."""

import sys

from app.cli.generator.entities import Request, new_entity
from app.cli.generator.files.manifest import existing


def main() -> None:
    item = existing("item")
    for number in range(int(sys.argv[1])):
        request = Request(f"copy_{number}", item.fields, owner="user", key=item.key)
        new_entity(request, migrate=False).carry_out()


if __name__ == "__main__":
    main()
