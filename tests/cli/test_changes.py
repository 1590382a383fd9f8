"""Which tests a change can break, in a small project."""

import subprocess
from pathlib import Path

import pytest

from app.cli.changes import changed_files, tests_of

FILES = {
    "src/app/main.py": "import app.core.registry\nfrom app.core import service\n",
    "src/app/core/registry.py": "",
    "src/app/core/service.py": "",
    "src/app/items/router.py": "from app.items import service\n",
    "src/app/items/service.py": "import app.core.service\n",
    "src/app/notes/entity.json": "{}",
    "src/app/notes/router.py": "from app.notes import service\n",
    "src/app/notes/service.py": "import app.core.service\n",
    "src/app/cli/tool.py": "",
    "tests/conftest.py": "",
    "tests/api/conftest.py": "from app.main import create_app\n",
    "tests/api/test_lists.py": "",
    "tests/core/test_service.py": "from app.core.service import Service\n",
    "tests/cli/test_tool.py": "import app.cli.tool\n",
    "tests/cli/test_process.py": "import subprocess\n",
    "tests/notes/test_notes.py": "NOTES = '/api/v1/notes'\n",
    "tests/test_page.py": "PAGE = 'docs/page.md'\nfrom tests.helper import helped\n",
    "tests/helper.py": "",
}
API, CORE, NOTES = "api/test_lists.py", "core/test_service.py", "notes/test_notes.py"
TOOL, PROCESS, PAGE = "cli/test_tool.py", "cli/test_process.py", "test_page.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ("tests/core/test_service.py", {CORE}),
        ("tests/helper.py", {PAGE}),
        ("tests/api/conftest.py", {API}),
        ("tests/conftest.py", {API, CORE, NOTES, TOOL, PROCESS, PAGE}),
        ("src/app/cli/tool.py", {TOOL, PROCESS}),
        ("src/app/core/service.py", {API, CORE, PROCESS}),
        ("src/app/items/service.py", {API, PROCESS}),  # found by the registry
        ("src/app/notes/service.py", {API, NOTES}),
        ("docs/page.md", {PAGE}),
        ("docs/other.md", set()),
    ],
)
def test_a_change_breaks_what_depends_on_it(project: Path, changed: str, broken: set[str]) -> None:
    found = tests_of(project, [changed])
    assert found == sorted(f"tests/{each}" for each in broken)


@pytest.mark.parametrize("changed", ["pyproject.toml", "alembic/versions/1_notes.py", "uv.lock"])
def test_what_no_import_shows_breaks_all(project: Path, changed: str) -> None:
    assert tests_of(project, ["tests/helper.py", changed]) is None


def test_an_entity_that_others_import_is_a_package_like_any(project: Path) -> None:
    (project / "src/app/items/service.py").write_text("import app.notes.service\n")
    found = tests_of(project, ["src/app/notes/service.py"])
    assert found == sorted(f"tests/{each}" for each in (API, PROCESS))


def git(project: Path, *arguments: str) -> None:
    me = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
    subprocess.run(["git", *me, *arguments], cwd=project, check=True, capture_output=True)


def test_a_change_is_what_the_branch_has_and_the_main_one_had_not(project: Path) -> None:
    git(project, "init", "--initial-branch=main")
    git(project, "add", "--all")
    git(project, "commit", "--message=first")
    git(project, "switch", "--create=branch")
    assert changed_files(project) == []
    (project / "tests/helper.py").write_text("committed = 1\n")
    git(project, "commit", "--all", "--message=second")
    (project / "src/app/main.py").write_text("edited = 1\n")
    (project / "tests/new.py").touch()
    (project / "src/app/cli/tool.py").rename(project / "src/app/cli/renamed.py")
    git(project, "switch", "--create=other", "main")
    git(project, "commit", "--allow-empty", "--message=beside")
    git(project, "branch", "--force", "main")
    git(project, "switch", "branch")
    assert changed_files(project) == [
        "src/app/cli/renamed.py",
        "src/app/cli/tool.py",
        "src/app/main.py",
        "tests/helper.py",
        "tests/new.py",
    ]
