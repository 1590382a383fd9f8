"""The documents: those that are made from the code are up to date, and no link leads nowhere."""

import re
from pathlib import Path

import pytest

from app.config import Settings
from app.database.migrations import ROOT
from tests.cli.documents import documents

LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
PAGES = [ROOT / "README.md", ROOT / "AGENTS.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_is_what_the_code_says(path: Path) -> None:
    assert path.read_text() == documents()[path], "run `uv run python -m tests.cli.documents`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for path, heading in LINK.findall(page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        if heading:
            assert heading in headings(target), f"{path}#{heading}"


def test_every_setting_is_told() -> None:
    text = documents()[ROOT / "docs/settings.md"]
    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in text] == []


def test_the_readme_leads_to_every_page() -> None:
    linked = {path for path, _ in LINK.findall((ROOT / "README.md").read_text())}
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= linked


def headings(page: Path) -> set[str]:
    """As they are linked: in lower case, with hyphens and without other signs."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in found}
