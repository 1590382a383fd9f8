"""What others make of the OpenAPI document: linters, and clients that compile strictly and work.

Their packages come from the registries of npm and PyPI; offline these tests are skipped.
"""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.main import Application
from tests.conftest import new_client
from tests.live import served

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent
RULES = HERE.parent / "api" / "spectral.yaml"
SOURCES = ["package.json", "tsconfig.json", "tour.ts"]
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
LIMIT = 300  # seconds, of a busy machine
GENERATOR = "openapi-python-client@0.29.1"


def run(folder: Path, *command: str) -> str:
    """What it prints; fails with that if it does."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | QUIET,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    assert done.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the packages of `package.json`."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing")
    made = tmp_path_factory.mktemp("clients")
    for name in SOURCES:
        shutil.copy(HERE / name, made)
    shutil.copy(RULES, made)
    installed = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"],
        cwd=made,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"npm cannot install what is needed: {installed.stderr[-300:]}")
    return made


@pytest.fixture(scope="module")
async def document(folder: Path, session_app: Application) -> str:
    async with new_client(session_app) as client:
        (folder / "openapi.json").write_text((await client.get("/openapi.json")).text)
    return "openapi.json"


class TestLinters:
    def test_spectral_finds_nothing(self, folder: Path, document: str) -> None:
        output = run(
            folder,
            "npx",
            "spectral",
            "lint",
            document,
            "-r",
            RULES.name,
            "-F",
            "hint",
            "-f",
            "json",
        )
        assert json.loads(output[output.index("[") :].partition("No results")[0]) == []

    def test_spectral_would_find_what_is_missing(self, folder: Path, document: str) -> None:
        changed = json.loads((folder / document).read_text())
        del changed["info"]["contact"]
        del changed["components"]["schemas"]["ItemRead"]["properties"]["name"]["maxLength"]
        (folder / "worse.json").write_text(json.dumps(changed))
        with pytest.raises(AssertionError) as failure:
            run(folder, "npx", "spectral", "lint", "worse.json", "-r", RULES.name, "-F", "hint")
        assert {"info-contact", "owasp:api4:2023-string-limit"} <= set(str(failure.value).split())

    def test_redocly_finds_nothing(self, folder: Path, document: str) -> None:
        output = run(folder, "npx", "redocly", "lint", document, "--format", "json")
        found: dict[str, Any] = json.JSONDecoder().raw_decode(output[output.index("{") :])[0]
        assert (found["totals"]["errors"], found["totals"]["warnings"]) == (0, 0), found["problems"]


class TestTypeScript:
    async def test_clients_compile_strictly_and_take_the_tour(
        self, folder: Path, document: str, app: Application
    ) -> None:
        for command in (
            ("openapi-typescript", document, "-o", "schema.ts", "--enum"),
            ("openapi-ts", "-i", document, "-o", "sdk", "--no-log-file"),
        ):
            output = run(folder, "npx", *command)
            assert "warn" not in output.lower(), output
        assert 'PRICE_DESC = "-price"' in (folder / "schema.ts").read_text()
        run(folder, "npx", "tsc", "--project", ".")
        async with served(app) as live:
            assert (
                await asyncio.to_thread(run, folder, "node", "made/tour.js", live.url) == "done\n"
            )


class TestPython:
    def test_the_client_is_typed_strictly(self, folder: Path, document: str) -> None:
        tool = [shutil.which("uv") or "uv", "tool", "run", "--quiet"]
        try:
            run(folder, *tool, GENERATOR, "--version")
        except (OSError, AssertionError) as error:
            pytest.skip(f"uv cannot install {GENERATOR}: {str(error)[-300:]}")
        output = run(
            folder, *tool, GENERATOR, "generate", "--path", document,
            "--output-path", "python", "--fail-on-warning",
        )  # fmt: skip
        assert "warning" not in output.lower(), output
        [package] = (each.parent for each in (folder / "python").glob("*/client.py"))
        assert "PRICE_DESC" in (package / "models" / "item_order.py").read_text()
        needed = ["--with", "attrs", "--with", "httpx", "--with", "types-python-dateutil"]
        run(folder, *tool, *needed, "mypy", "--strict", str(package))
