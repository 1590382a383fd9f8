"""The generator's line, its merges and its files, without writing any."""

import re
from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path

import pytest

from app.cli.generator import entities, report, templates
from app.cli.generator.entities import Request, new_entity
from app.cli.generator.fields import new_field, remove_field
from app.cli.generator.files import merged, on_disk, render, tidy
from app.cli.generator.kinds import FLAGS, KINDS
from app.cli.generator.manifest import Manifest, existing, targets
from app.cli.generator.merging import merge
from app.cli.generator.migrations import onto
from app.cli.generator.parsing import parse_fields
from app.cli.generator.plan import Plan
from app.cli.generator.reserved import LIST_PARAMETERS
from app.cli.generator.samples import sample
from app.cli.generator.source import EntitySource
from app.cli.generator.spec import EntitySpec, SpecError
from app.cli.generator.verify import Result

TARGETS = {"item": "items", "customer": "customers", "user": "users"}


def problems(*texts: str) -> list[str]:
    return parse_fields(texts, "invoice", TARGETS)[1]


def rendered(*texts: str, owned: bool = False, public: bool = False) -> dict[str, str]:
    """The files of an entity by their names."""
    fields, wrong = parse_fields(texts, "thing", TARGETS)
    assert wrong == []
    spec = EntitySpec("thing", "things", tuple(fields), owned, public)
    return {path.name: text for path, text in render(EntitySource(spec, TARGETS)).items()}


class TestFields:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("number", "needs a type, such as number:str"),
            ("number:", "needs a type, such as number:str"),
            ("number::null", "needs a type, such as number:str"),
            ("number:str:", "nothing stands after one of its colons"),
            ("number:str::null", "nothing stands after one of its colons"),
            ("number:str:=5", "nothing stands after one of its colons"),
            ("number:strng", "no type strng; did you mean str?"),
            ("number:varchar:32", "no type varchar; did you mean str?"),
            ("total_price:money:12.2", "no type money; did you mean decimal?"),
            ("paid:Boolean", "no type Boolean; did you mean bool?"),
            ("number:str:uniqe", "no flag uniqe; did you mean unique?"),
            ("number:str:unique:unique", "unique is there twice"),
            ("number:str:unique=yes", "unique is written unique"),
            ("number:str:max", "max is written max=VALUE"),
            ("number:str:0", "0 is no argument of str; such as str:32"),
            ("number:str:20000", "a str has up to 10000 characters"),
            ("body:text:500", "text takes no number; max=500 would do"),
            ("Number:str", "Number must be up to 40 lower case letters"),
            ("dueOn:date", "due_on would do"),
            ("class:str", "class is a word of Python: invoice_class would do"),
            ("l:str", "l looks like a 1: invoice_l would do"),
            ("size_of:enum:2d/3d", "2d/3d is no argument of enum, as each word is a letter, then"),
            ("none:str", "none is a word of Python: invoice_none would do"),
            ("metadata:json", "metadata is taken by what every entity has: invoice_metadata"),
            ("version:int", "version is taken by what every entity has: invoice_version"),
            ("user:str", "user is a word of SQL: invoice_user would do"),
            ("status:enum:", "enum needs an argument; such as enum:draft/sent"),
            ("status:enum:a/A", "the words of an enum must differ"),
            ("status:enum:draft/sent:default=sant", "default=sant is no word of the enum; did you"),
            ("filter:enum:a/b", "an enum cannot be called filter: filter_kind would do"),
            ("amount:decimal", "decimal needs an argument; such as decimal:12.2"),
            ("amount:decimal:2.4", "a decimal has up to 38 digits, and not more of them after"),
            ("amount:decimal:5.2:max=1000", "max=1000 has more digits than decimal:5.2"),
            ("amount:decimal:5.2:default=NaN", "default=NaN is no decimal"),
            ("amount:int:min=5:max=3", "min is greater than max"),
            ("amount:int:max=2147483648", "max=2147483648 is no value of int"),
            ("amount:int:min=1:default=0", "default=0 is out of bounds"),
            ("name:str:4:default=12345", "default=12345 is out of bounds"),
            ("due_on:date:default=2026-02-30", "default=2026-02-30 is no date"),
            ("at:datetime:default=2026-01-05T12:00", "is no datetime"),
            ("paid:bool:min=1", "min makes no sense for bool"),
            ("paid:bool:search", "search makes no sense for bool"),
            ("body:text:unique", "unique makes no sense for text"),
            ("mail:email:default=me", "default makes no sense for email"),
            ("number:str:unique:null", "what is unique cannot be null"),
            ("number:str:unique:default=x", "what is unique cannot have a default"),
            ("number:str:hidden:readonly", "hidden and readonly leave nothing of it"),
            ("number:str:hidden:search", "a search would show what is hidden"),
            ("number:str:hidden:unique", "a conflict would show what is hidden"),
            ("number:str:readonly", "readonly needs null or a default"),
            ("buyer:ref:custmer", "no entity custmer; did you mean customer?"),
            ("buyer:ref:supplier", "no entity supplier; `app new entity supplier …` would make it"),
            ("buyer:ref:customer:ondelete=setnul", "no rule ondelete=setnul; did you mean setnull"),
            ("buyer:ref:customer:ondelete=setnull", "ondelete=setnull needs null"),
            ("number:str:ondelete=cascade", "ondelete is for a ref"),
            ("owner:ref:customer", "owner_id is taken by what every entity has"),
            ("before:ref:invoice", "the first invoice has none to refer to: it needs null"),
            ("tags:array:enum", "no array of enum; there are bigint, bool, date"),
            ("tags:array:string", "no array of string; did you mean str?"),
            ("tags:array:str:max=101", "max=101 is no count of array"),
            ("name:str:default=a b", "may hold letters, digits and _ : = . / - only"),
            ("name:str;rm", "may hold letters, digits and _ : = . / - only"),
            (":str", "the name must be up to 40"),
        ],
    )
    def test_names_what_is_wrong_and_what_would_do(self, text: str, problem: str) -> None:
        found = problems(text)
        assert any(each.startswith(f"{text}: ") and problem in each for each in found), found

    @pytest.mark.parametrize("name", sorted(LIST_PARAMETERS))
    def test_a_parameter_of_every_list_is_no_field(self, name: str) -> None:
        assert f"{name}:str: {name} is a parameter of every list" in problems(f"{name}:str")[0]

    def test_says_all_at_once(self) -> None:
        found = problems("Number:strng:uniqe", "page:int:serch", "page:int", "buyer:ref:custmer")
        assert [each.split(": ")[0] for each in found] == [
            "Number:strng:uniqe",
            "Number:strng:uniqe",
            "Number:strng:uniqe",
            "page:int:serch",
            "page:int:serch",
            "page:int",
            "buyer:ref:custmer",
            "page",
        ]

    @pytest.mark.parametrize("type", [name for name in KINDS if name not in {"enum", "decimal"}])
    def test_takes_each_type(self, type: str) -> None:
        argument = {"ref": ":customer", "array": ":str"}.get(type, "")
        assert problems(f"thing:{type}{argument}:null") == []

    def test_a_reference_may_be_called_like_what_is_a_word_of_sql(self) -> None:
        assert problems("user:ref:user", "order:ref:customer") == []

    def test_takes_times_with_their_colons(self) -> None:
        [opening, moment], wrong = parse_fields(
            [
                "opening:time:min=08:00:max=18:30",
                "moment:datetime:default=2026-01-05T12:00:00Z",
            ],
            "shop",
            TARGETS,
        )
        assert wrong == []
        assert opening.flags == {"min": "08:00", "max": "18:30"}
        assert moment.flags == {"default": "2026-01-05T12:00:00Z"}


class TestEntities:
    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            (Request("Invoice", ["number:str"]), "invoice would do"),
            (Request("invoices", ["number:str"]), "looks like a plural: invoice would do"),
            (Request("cities", ["number:str"]), "looks like a plural: city would do"),
            (Request("class", ["number:str"]), "class: is a word of Python: class_record would do"),
            (Request("none", ["number:str"]), "none: is a word of Python: none_record would do"),
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
            (Request("run", ["a:str"], plural="test_runs"), "test_runs: is how tests call tables"),
            (
                Request("thing", ["line1:str", "line_1:str"]),
                "line_1: its type Line1 would be called like that of line1",
            ),
            (
                Request("big", ["integer:enum:a/b"]),
                "integer: its type would be called BigInteger, as an import is",
            ),
            (Request("thing", ["number:str"], owner="usr"), "--owner usr: did you mean user?"),
            (Request("thing", ["a:str:unique"], key="aa"), "--key aa: is no unique field; did you"),
            (Request("thing", ["a:str"], key="a"), "--key a: is no unique field; a:…:unique would"),
            (Request("purchase_order", ["a" * 40 + ":int:index"], owner="user"), "shorter names"),
            (
                Request("item", ["name:str"]),
                "item: is there already, from the line\napp new entity",
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
            new_entity(Request("thing", ["amount:decimal", "before:ref:tihng"]))
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
        request = Request("widget", ["item:ref:item:unique"], key="item_id")
        plan = new_entity(request, migrate=False)
        models = plan.writes[Path("src/app/widgets/models.py")]
        assert 'natural_key = ("item_id",)' in models

    def test_a_field_that_is_not_there_is_not_removed(self) -> None:
        with pytest.raises(
            SpecError, match="quanity: item has no such field; did you mean quantity"
        ):
            remove_field("item", "quanity")

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("price:int:null", "item has price:decimal:12.2:min=0:index"),
            ("colour:str", "rows that are there already need null or a default"),
            ("code:str:unique", "rows that are there already have no values that differ"),
            ("colour:strng:null", "did you mean str?"),
        ],
    )
    def test_a_field_that_cannot_be_added(self, text: str, problem: str) -> None:
        with pytest.raises(SpecError, match=problem):
            new_field("item", [text])

    def test_a_field_whose_type_would_be_called_like_that_of_another_one(self) -> None:
        with pytest.raises(SpecError, match="line_1: its type"):
            new_field("item", ["line1:str:null", "line_1:str:null"])

    def test_an_entity_that_the_generator_has_not_made(self) -> None:
        with pytest.raises(
            SpecError, match="itm: is no entity of the generator's; did you mean item"
        ):
            new_field("itm", ["colour:str:null"])


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
        plan = Plan(EntitySource(spec, TARGETS))
        plan.update({Path("src/app/things/models.py"): "x"})
        told = report.outcome(plan, [], dry_run=False, migrates=True, removes=False)
        first, second, *_ = [line for line in told.splitlines() if "curl" in line]
        assert first.startswith("  customer_id=$(curl -s ")
        assert second.endswith("""-d '{"name": "name", "customer_id": "'$customer_id'"}'""")

    def test_a_check_that_failed_says_why_in_json_too(self) -> None:
        plan = Plan(EntitySource(EntitySpec("thing", "things", ()), TARGETS))
        failed = Result("types", passed=False, seconds=0.1, output="error: x")
        assert report.of(plan, [failed])["checks"] == [asdict(failed)]

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


# What `src/app/items` and `tests/items` have beside what the generator writes for their line.
ITEMS = """\
-    name__in: Values[Text] = None
-    description: Text | None = None
-    description__in: Values[Text] = None
-    description__icontains: Text | None = None
-    description__istartswith: Text | None = None
-    sku__icontains: Text | None = None
-    sku__istartswith: Text | None = None
+    status__neq: ItemStatus | None = None
+    status__not_in: Values[ItemStatus] = None
-        {"name": "name", "sku": "SKU1", "price": "0", "quantity": 0, "status": "draft"}
+        {"name": "Desk lamp", "sku": "LAMP-1", "price": "49.90", "status": "active"}
-    model_config = example({"name": "other name"})
+    model_config = example({"price": "44.90"})
"""


class TestItems:
    """The example entity is what the generator writes, but for a few lines of its own."""

    def test_differ_by_these_lines_alone(self) -> None:
        spec = existing("item").spec()
        different = ""
        for path, text in sorted(render(EntitySource(spec, targets())).items()):
            current = on_disk(path)
            assert current is not None, path
            lines = unified_diff(text.splitlines(), current.splitlines(), n=0, lineterm="")
            different += "".join(f"{each}\n" for each in lines if each[:3] not in {"---", "+++"})
        kept = [each for each in different.splitlines() if not each.startswith("@@")]
        assert kept == ITEMS.splitlines()

    def test_remember_what_was_written(self) -> None:
        manifest = existing("item")
        files = render(EntitySource(manifest.spec(), targets()))
        assert Manifest.of(manifest.spec(), files) == manifest
        assert manifest.line.startswith("app new entity item name:str:255:index:search ")


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
