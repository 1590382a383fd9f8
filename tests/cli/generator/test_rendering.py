"""The files of an entity, and the example entities beside them."""

import re
from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path

import pytest

from app.cli.generator import report
from app.cli.generator.changeset import Changeset
from app.cli.generator.checks.verify import Result
from app.cli.generator.files.disk import on_disk
from app.cli.generator.files.manifest import existing, find
from app.cli.generator.grammar.kinds import FLAGS
from app.cli.generator.grammar.parsing import parse_fields
from app.cli.generator.grammar.spec import EntitySpec, SpecError
from app.cli.generator.rendering.entity_files import render
from app.cli.generator.rendering.entity_source import EntitySource
from app.cli.generator.rendering.samples import sample
from app.cli.generator.rendering.tidy import tidy
from app.database.migrations import ROOT
from tests.cli.generator.lines import TARGETS


def rendered(*texts: str, owned: bool = False, public: bool = False) -> dict[str, str]:
    """The files of an entity by their names."""
    fields, wrong = parse_fields(texts, "thing", TARGETS)
    assert wrong == []
    spec = EntitySpec("thing", "things", tuple(fields), owned, public)
    return {path.name: text for path, text in render(EntitySource(spec, TARGETS)).items()}


class TestRendering:
    def test_constraints_are_named_after_what_they_keep(self) -> None:
        models = rendered(
            "code:str:unique", "size_:int".replace("_", "d") + ":min=1:max=9", owned=True
        )["models.py"]
        assert 'CheckConstraint("sized >= 1 AND sized <= 9", name="sized")' in models
        assert 'unique_among_live("things", "owner_id", "code")' in models

    def test_filters_are_those_of_the_type(self) -> None:
        filters = rendered("title:str:null", "due:date:nofilter", "done:bool:nosort")["filters.py"]
        for suffix in ("", "__in", "__icontains", "__istartswith", "__isnull"):
            assert f"    title{suffix}: " in filters
        assert "due:" not in filters
        assert '"due", "-due"' in filters
        assert '"done"' not in filters

    def test_what_is_hidden_is_taken_and_never_answered(self) -> None:
        files = rendered("code:str", "secret:str:hidden", "seen_at:datetime:readonly:null")
        create, update, read = files["schemas.py"].split("\nclass ")[1:]
        assert "secret" in create
        assert "secret" in update
        assert "secret" not in read + files["filters.py"]
        assert "seen_at" in read + files["filters.py"]
        assert "seen_at" not in create + update

    @pytest.mark.parametrize("owned", [False, True])
    @pytest.mark.parametrize("public", [False, True])
    def test_who_reads_and_who_writes(self, *, owned: bool, public: bool) -> None:
        dependencies = rendered("code:str", owned=owned, public=public)["dependencies.py"]
        assert ("session.user_id" in dependencies) == owned
        assert ("PublicThings" in dependencies) == public

    @pytest.mark.parametrize(
        "fields",
        [
            ["body:text:min=5000", "code:str:5000:min=4000:unique", "tags:array:str:min=90"],
            ["i:int:min=1", "o:enum:i/l/O", "share:decimal:38.38", "whole:decimal:38.0:min=7"],
        ],
    )
    def test_no_line_is_too_long_and_no_name_like_a_digit(self, fields: list[str]) -> None:
        lines = [line for text in rendered(*fields).values() for line in text.splitlines()]
        assert max(map(len, lines)) <= 100
        assert not any(re.match(r" *[lIO]( =|:)", line) for line in lines)

    def test_a_sample_has_the_digits_of_its_decimal(self) -> None:
        low = "1" * 37 + "8"
        [share, whole], _ = parse_fields(
            ["share:decimal:38.38", f"whole:decimal:38.0:min={low}"], "thing", TARGETS
        )
        assert sample(share).value == "0." + "9" * 38
        assert sample(whole, other=True).value == "1" * 37 + "9"

    def test_a_request_finds_what_its_row_refers_to(self) -> None:
        fields, _ = parse_fields(["name:str", "customer:ref:customer"], "thing", TARGETS)
        spec = EntitySpec("thing", "things", tuple(fields))
        changeset = Changeset(EntitySource(spec, TARGETS))
        changeset.update({Path("src/app/things/models.py"): "x"})
        told = report.outcome(changeset, [], dry_run=False, migrates=True, removes=False)
        first, second, *_ = [line for line in told.splitlines() if "curl" in line]
        assert first.startswith("  customer_id=$(curl -s ")
        assert second.endswith("""-d '{"name": "name", "customer_id": "'$customer_id'"}'""")

    @pytest.mark.parametrize(
        ("name", "value", "place"),
        [
            ("PORT", "8123", "http://127.0.0.1:8123"),
            ("HOST", "0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - where it listens
            ("HOST", "::1", "http://[::1]:8000"),
            ("PORT", "none", "http://127.0.0.1:8000"),
        ],
    )
    def test_a_request_goes_where_the_settings_lead(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, place: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv(name, value)
        changeset = Changeset(EntitySource(EntitySpec("thing", "things", ()), TARGETS))
        changeset.update({Path("src/app/things/models.py"): "x"})
        told = report.outcome(changeset, [], dry_run=False, migrates=True, removes=False)
        requests = [line for line in told.splitlines() if "curl" in line]
        assert requests
        assert all(f"{place}/api/v1/things" in each for each in requests)

    def test_a_check_that_failed_says_why_in_json_too(self) -> None:
        changeset = Changeset(EntitySource(EntitySpec("thing", "things", ()), TARGETS))
        failed = Result("types", passed=False, seconds=0.1, output="error: x")
        assert report.of(changeset, [failed])["checks"] == [asdict(failed)]

    def test_no_two_types_are_called_alike(self) -> None:
        schemas = rendered("status:enum:a/b", "thing_status:str", "text:str", "thing_text:str")
        names = re.findall(r"^(\w+) = ", schemas["schemas.py"], re.MULTILINE)
        assert names == ["ThingThingStatus", "ThingText", "ThingThingText"]

    def test_a_template_that_makes_no_python_is_told_of(self) -> None:
        with pytest.raises(SpecError, match=r"x\.py:2: cannot assign to None"):
            tidy({Path("x.py"): "a = 1\nNone = 1\n"})

    def test_an_upsert_needs_a_natural_key(self) -> None:
        assert "bulk_upsert" not in rendered("code:str")["router.py"]
        assert 'natural_key = ("code",)' in rendered("code:str:unique")["models.py"]

    def test_every_flag_is_explained(self) -> None:
        assert all(text and not text.startswith("=") for text in FLAGS.values())


# What `tests/lamps` and its line have beside what the generator writes.
LINE = (
    "name:str:255:index:search",
    "description:text:null:max=5000:search",
    "sku:str:64:unique:search",
    "price:decimal:12.2:min=0:index",
    "quantity:int:min=0:default=0",
    "status:enum:draft/active/archived:default=draft:index",
)
OWN = """\
-    name__in: Values[Text] = None
-    description: Text | None = None
-    description__in: Values[Text] = None
-    description__icontains: Text | None = None
-    description__istartswith: Text | None = None
-    sku__icontains: Text | None = None
-    sku__istartswith: Text | None = None
+    status__neq: LampStatus | None = None
+    status__not_in: Values[LampStatus] = None
-        {"name": "name", "sku": "SKU1", "price": "0", "quantity": 0, "status": "draft"}
+        {"name": "Desk lamp", "sku": "LAMP-1", "price": "49.90", "status": "active"}
-    model_config = example({"name": "other name"})
+    model_config = example({"price": "44.90"})
"""


class TestExamples:
    """The suite's own entity is what the generator writes, but for a few lines of its own."""

    def test_lamps_differ_by_these_lines_alone(self) -> None:
        fields, _ = parse_fields(LINE, "lamp", TARGETS)
        spec = EntitySpec("lamp", "lamps", tuple(fields), owned=True, public=False)
        different = ""
        for path, text in sorted(render(EntitySource(spec, TARGETS)).items()):
            current = on_disk(Path("tests/lamps") / path.name)
            assert current is not None, path
            expected = text.replace("app.lamps.", "tests.lamps.").splitlines()
            lines = unified_diff(expected, current.splitlines(), n=0, lineterm="")
            different += "".join(f"{each}\n" for each in lines if each[:3] not in {"---", "+++"})
        kept = [each for each in different.splitlines() if not each.startswith("@@")]
        assert kept == OWN.splitlines()

    @pytest.mark.skipif(find("item") is None, reason="the example entity was removed")
    def test_items_are_remembered_as_they_are(self) -> None:
        manifest = existing("item")
        assert manifest.line.startswith("app new entity item name:str:255:index:search ")
        assert [each for each in manifest.files if not manifest.is_as_written(Path(each))] == []
        folders = [ROOT / "src/app/items", ROOT / "tests/items"]
        found = {str(path.relative_to(ROOT)) for each in folders for path in each.glob("*.py")}
        assert found == manifest.files.keys()
