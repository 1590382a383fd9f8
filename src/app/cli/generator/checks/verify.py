"""Checks a new entity: format, lint, types, imports, migrations and tests."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import make_url

from app.cli.generator.changeset import Changeset
from app.cli.generator.processes import Running, run_module, run_program

PARTS = min(os.cpu_count() or 2, 4)  # each needs two seconds before its first test


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    passed: bool
    seconds: float
    output: str

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'FAILED':>10}  {self.name} in {self.seconds:.1f} s"


def verify(
    changeset: Changeset, *, migrates: bool, server: Callable[[], str | None]
) -> Iterator[Result]:
    """Runs the checks that need no server, all at once, and then the tests on databases of one."""
    plural = changeset.entity.plural
    python = [str(path) for path in changeset.writes if path.suffix == ".py"]
    programs = {
        "format": run_program("ruff", "format", "--check", *python),
        "lint": run_program("ruff", "check", *python),
        "imports": run_program("lint-imports"),
        "types": run_program("pyrefly", "check", f"src/app/{plural}", f"tests/{plural}"),
    }
    for name, program in programs.items():
        yield _result(name, [program])
    if migrates:
        yield _result("tests", _run_tests(plural, server()))


def _run_tests(plural: str, server: str | None) -> list[Running]:
    """Runs the conformance tests of the entity and its own tests, in several parts at once."""
    options = ["-q", "-n0", "-pno:cacheprovider"]  # the parts would write into one cache
    options += ["-Wignore::pytest.PytestAssertRewriteWarning"]  # FastAPI has imported anyio
    contract = ["tests/conformance", "--resource", plural, "-m", "not general"]
    agree = "tests/database/test_migrations.py::test_models_and_migrations_agree"
    arguments = [*options, *contract, f"tests/{plural}", agree]
    return [
        run_module(
            "pytest", *arguments, f"--part={number}/{PARTS}", environment=_database(server, number)
        )
        for number in range(1, PARTS + 1)
    ]


def _database(server: str | None, number: int) -> dict[str, str]:
    if server is None:
        return {}  # the tests start a server themselves, or say why they cannot
    url = make_url(server)
    url = url.set(database=f"{url.database}_{number}")
    return {"TEST_DATABASE_URL": url.render_as_string(hide_password=False)}


def _result(name: str, running: list[Running]) -> Result:
    ended = [each.finish() for each in running]
    return Result(
        name,
        all(each.passed for each in ended),
        max(each.seconds for each in ended),
        "\n".join(each.output for each in ended if not each.passed),
    )
