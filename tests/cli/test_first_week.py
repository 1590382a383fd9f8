"""The seeds of docs/first-week.md do what the page says."""

import importlib.util
from pathlib import Path

import pytest
from sqlalchemy import text

from app.cli.generator.files.manifest import find
from app.database.migrations import ROOT
from app.database.unit_of_work import UnitOfWork
from app.main import Application
from tests.cli.sessions import File, steps
from tests.factories import create_user

PAGE = ROOT / "docs/first-week.md"


@pytest.mark.skipif(find("item") is None, reason="the page's example is the entity items")
async def test_its_seeds(app: Application, work: UnitOfWork, tmp_path: Path) -> None:
    [script] = [each for each in steps(PAGE.read_text()) if isinstance(each, File)]
    (tmp_path / script.path).write_text(script.text)
    spec = importlib.util.spec_from_file_location("seeds", tmp_path / script.path)
    assert spec is not None
    assert spec.loader is not None
    seeds = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(seeds)
    await create_user(app.database, "ada@example.com")
    for _ in range(2):
        await seeds.seed(app.settings, "ada@example.com")
    [row] = await work.fetch(text("SELECT count(*), min(name) FROM items"))
    assert tuple(row) == (100, "Lamp 1")
