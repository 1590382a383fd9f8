"""What each entity costs when the application starts, and when it first documents itself."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

from bench import machine
from bench.report import table
from bench.run import say

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "alembic", "alembic.ini", "pyproject.toml", "ruff.toml")
MORE = 40  # entities beside the example
STAGES = ("import", "create_app", "first answer")

type Start = dict[str, float]


def run(rounds: int) -> str:
    """The table: the least of all rounds, as what else the machine does can only add to it."""
    core, others = machine.cores()
    machine.pin(others)
    with tempfile.TemporaryDirectory(prefix="plinth-bench-") as folder:
        projects = {1 + more: _project(Path(folder, str(more)), more) for more in (0, MORE)}
        starts: dict[int, list[Start]] = {number: [] for number in projects}
        for round_number in range(rounds + 1):
            for number, project in projects.items():
                say(f"{number} entities, round {round_number}")
                start = _start(project, core)
                if round_number > 0:  # the first one compiles
                    starts[number].append(start)
    few, many = (
        {name: min(each[name] for each in found) for name in found[0]} for found in starts.values()
    )
    each = {name: (many[name] - few[name]) / MORE for name in few}
    rows = [["1 entity", *_cells(few)], [f"{MORE + 1} entities", *_cells(many)]]
    rows.append(["each of the others", *_cells(each)])
    header = [*STAGES, "start, ms", "MB", "/openapi.json, ms", "MB more"]
    return table(["", *header], rows)


def _project(folder: Path, more: int) -> Path:
    """A copy of the project with so many more entities."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy2(ROOT / name, folder / name)
    if more:
        say(f"writing {more} entities")
        _python(folder, "bench.copies", str(more))
    return folder


def _start(project: Path, core: set[int]) -> Start:
    start: Start = orjson.loads(_python(project, "bench.start", *map(str, core)))
    return start


def _python(project: Path, module: str, *arguments: str) -> bytes:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {
        "PYTHONPATH": str(project / "src"),  # goes before the project that is installed
        "ENVIRONMENT": "development",  # documents itself
        "DATABASE_URL": "postgresql://localhost/nowhere",  # no request here needs one
        "LOG_LEVEL": "error",  # standard output is for the figures
    }
    command = [sys.executable, "-m", module, *arguments]
    environment = kept | environment
    return subprocess.check_output(command, cwd=project, env=environment)  # noqa: S603 - ours


def _cells(found: Start) -> list[str]:
    stages = [found[stage] * 1000 for stage in STAGES]
    memory = found["memory after first answer"]
    more = found["memory after openapi"] - memory
    cells = [*stages, sum(stages), memory, found["openapi"] * 1000, more]
    return [f"{cell:,.2f}" if cell < 10 else f"{cell:,.0f}" for cell in cells]
