"""Merges of what was edited with what is generated, and the line of migrations."""

from pathlib import Path

import pytest

from app.cli.generator.files.merging import merge
from app.cli.generator.rendering import templates
from app.cli.generator.rendering.tidy import merged
from app.cli.generator.revisions.withdrawal import onto


class TestMerges:
    BASE = ("a", "b", "c", "d")

    @pytest.mark.parametrize(
        ("mine", "generated", "result"),
        [
            ("abcd", "abcd", "abcd"),
            ("abcdm", "abcd", "abcdm"),
            ("abcd", "abxcd", "abxcd"),
            ("mbcd", "abcx", "mbcx"),
            ("abmcd", "abxcd", "abxmcd"),  # at one place: the generated first
            ("abxcd", "abxcd", "abxcd"),
            ("abmd", "axcd", "axmd"),  # beside each other
            ("acd", "acd", "acd"),
            ("abcdm", "abc", "abcm"),
            ("amcd", "axcd", None),
            ("amcd", "acd", None),
            ("acd", "amcd", None),
            ("mmcd", "axd", None),
        ],
    )
    def test_of_lines(self, mine: str, generated: str, result: str | None) -> None:
        found = merge(self.BASE, list(mine), list(generated))
        assert (None if found is None else "".join(found)) == result

    def test_imports_from_one_module_do_not_conflict(self) -> None:
        path = Path("x.py")
        base = "from datetime import date\n\nA: date\n"
        mine = "from datetime import date, timedelta\n\nA: date\nB: timedelta\n"
        generated = "from datetime import date, datetime\n\nA: date\nC: datetime\n"
        found = merged({path: base}, {path: mine}, {path: generated})
        assert found == {
            path: "from datetime import date, datetime, timedelta\n\n"
            "A: date\nC: datetime\nB: timedelta\n"
        }

    def test_a_contradiction_is_none(self) -> None:
        path = Path("x.py")
        texts = ("a = 1\n", "a = 2\n", "a = 3\n")
        assert merged(*({path: text} for text in texts)) == {path: None}


class TestMigrations:
    @pytest.mark.parametrize(("below", "line"), [("c0ffee", "Revises: c0ffee"), (None, "Revises:")])
    def test_follow_another_one_or_none(self, below: str | None, line: str) -> None:
        source = 'Revises: decade\n\ndown_revision: str | None = "decade"\n'
        named = f'"{below}"' if below else "None"
        assert onto(source, "decade", below) == f"{line}\n\ndown_revision: str | None = {named}\n"

    def test_the_first_one_follows_none(self) -> None:
        sources = dict.fromkeys(("message", "revision", "created", "upgrade", "downgrade"), "x")
        text = templates.render("migration.py.jinja", down_revision=None, **sources)
        assert "\nRevises:\n" in text
        assert "\ndown_revision: str | None = None\n" in text
