"""What is worked out for a line, without writing any file."""

from pathlib import Path

import pytest

from app.cli.generator import entities
from app.cli.generator.entities import Request, new_entity
from app.cli.generator.fields import new_field, remove_field
from app.cli.generator.files import manifest
from app.cli.generator.files.manifest import Manifest
from app.cli.generator.grammar.parsing import parse_fields
from app.cli.generator.grammar.spec import EntitySpec, SpecError


@pytest.fixture(autouse=True)
def thing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the generator has written, of all that the project has."""
    fields, _ = parse_fields(["code:str:20:unique", "quantity:int"], "thing", {})
    spec = EntitySpec("thing", "things", tuple(fields), owned=False, public=False)
    path = tmp_path / "app" / "things" / manifest.NAME
    path.parent.mkdir(parents=True)
    path.write_text(Manifest.of(spec, {}).text())
    monkeypatch.setattr(manifest, "PACKAGE", path.parents[1])


class TestEntities:
    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            (Request("Invoice", ["number:str"]), ", such as invoice"),
            (Request("invoices", ["number:str"]), "looks like a plural: use invoice"),
            (Request("cities", ["number:str"]), "looks like a plural: use city"),
            (Request("class", ["number:str"]), "class: is a word of Python: use class_record"),
            (Request("none", ["number:str"]), "none: is a word of Python: use none_record"),
            (Request("page", ["number:str"]), "page: is a class that its files import"),
            (Request("sheep", ["number:str"], plural="sheep"), "the plural must differ"),
            (Request("datum", ["number:str"], plural="data"), "data: is a name that its files use"),
            (Request("session", ["number:str"]), "sessions: there is a table of that name"),
            (Request("core", ["number:str"], plural="core_"), "core_: must be up to 40"),
            (Request("setting", ["number:str"], plural="config"), "config: there is a module of"),
            (Request("log", ["number:str"], plural="users"), "users: there is a package and a tab"),
            (Request("fault", ["number:str"]), "faults: there is a package of that name"),
            (Request("factory", ["number:str"]), "factories: there is a module of that name"),
            (Request("test", ["number:str"]), "test: is what pytest takes for a test"),
            (Request("test_run", ["number:str"]), "test_run: is what pytest takes for a test"),
            (Request("run", ["a:str"], plural="test_runs"), "test_runs: is how tests name tables"),
            (
                Request("widget", ["line1:str", "line_1:str"]),
                "line_1: its type would be called Line1, as that of line1 is",
            ),
            (
                Request("big", ["integer:enum:a/b"]),
                "integer: its type would be called BigInteger, as an import is",
            ),
            (Request("widget", ["number:str"], owner="usr"), "--owner usr: can only be user"),
            (
                Request("widget", ["a:str:unique"], key="aa"),
                "--key aa: is not a unique field; did you",
            ),
            (
                Request("widget", ["a:str"], key="a"),
                "--key a: is not a unique field; a:…:unique makes",
            ),
            (
                Request("purchase_order", ["a" * 40 + ":int:index"], owner="user"),
                "choose a shorter name",
            ),
            (
                Request("thing", ["name:str"]),
                "thing: exists already, from this line:\napp new entity thing code:str:20:unique",
            ),
        ],
    )
    def test_names_what_is_wrong_and_what_would_do(self, line: Request, problem: str) -> None:
        with pytest.raises(SpecError) as refused:
            new_entity(line)
        assert any(problem in each for each in refused.value.problems), refused.value.problems

    def test_says_all_at_once(self) -> None:
        request = Request("Thing", ["number:strng", "page:int"], owner="me", key="nmber")
        with pytest.raises(SpecError) as refused:
            new_entity(request)
        assert len(refused.value.problems) == 5
        with pytest.raises(SpecError) as refused:
            new_entity(Request("widget", ["amount:decimal", "before:ref:tihng"]))
        assert len(refused.value.problems) == 2

    def test_says_of_the_plural_what_is_wrong_beside_the_name(self) -> None:
        with pytest.raises(SpecError) as refused:
            new_entity(Request("page", ["number:str"], plural="users"))
        assert [each.split(":")[0] for each in refused.value.problems] == ["page", "users"]

    def test_a_file_that_is_in_the_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests/widgets").touch()
        monkeypatch.setattr(entities, "ROOT", tmp_path)
        with pytest.raises(SpecError, match="widgets: there is a file of that name"):
            new_entity(Request("widget", ["name:str"]))

    def test_a_key_may_be_called_like_its_column(self) -> None:
        request = Request("widget", ["thing:ref:thing:unique"], key="thing_id")
        changeset = new_entity(request, migrate=False)
        models = changeset.writes[Path("src/app/widgets/models.py")]
        assert 'natural_key = ("thing_id",)' in models

    def test_a_field_that_is_not_there_is_not_removed(self) -> None:
        with pytest.raises(
            SpecError, match="quanity: thing has no such field; did you mean quantity"
        ):
            remove_field("thing", "quanity")

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("code:int:null", "thing already has code:str:20:unique"),
            ("colour:str", "needs null or a default, for the existing rows"),
            ("label:str:unique", "cannot be unique: existing rows would share one value"),
            ("colour:strng:null", "did you mean str?"),
        ],
    )
    def test_a_field_that_cannot_be_added(self, text: str, problem: str) -> None:
        with pytest.raises(SpecError, match=problem):
            new_field("thing", [text])

    def test_a_field_whose_type_would_be_called_like_that_of_another_one(self) -> None:
        with pytest.raises(SpecError, match="line_1: its type"):
            new_field("thing", ["line1:str:null", "line_1:str:null"])

    def test_an_entity_that_the_generator_has_not_made(self) -> None:
        with pytest.raises(
            SpecError, match="thng: is not an entity that the generator wrote; did you mean thing"
        ):
            new_field("thng", ["colour:str:null"])
