"""The generator on copies of the project: what it writes is clean, and can be taken away again."""

import json
import re
from pathlib import Path

import pytest

from app.cli.generator.files.manifest import find
from tests.cli.project import Project

pytestmark = pytest.mark.generator

CUSTOMER = "new entity customer name:str:120:search email:email:unique --owner user"
INVOICE = (
    "new entity invoice number:str:32:unique amount:decimal:12.2:min=0"
    " status:enum:draft/sent/paid:default=draft due_on:date:null"
    " customer:ref:customer:ondelete=restrict tags:array:str --owner user"
)
# Every type and every flag, on entities with and without an owner, and public ones.
EVERYTHING = {
    "client": "code:str:20:unique:index:search title:str:min=2:max=10 body:text:max=500:null:search"
    " count:int:min=-5:max=5:default=0 secret:str:hidden note:str:readonly:null",
    "order": "big:bigint:unique ratio:float:min=0:max=1:default=0.5 price:decimal:5.2:min=0.01"
    " rate:decimal:2.2 tiny:decimal:3.0:default=-7:nosort day:date:min=2020-01-01"
    " client:ref:client:ondelete=cascade --owner user --public --key big",
    "entry": "moment:datetime:unique at:time:null:min=08:00 key:uuid:unique meta:json mail:email"
    " parent:ref:entry:null:ondelete=setnull frozen:ref:client:readonly:null author:ref:user:null"
    " client:ref:client billed:ref:client:null:ondelete=setnull:hidden --key key --public",
    "person": "site:url:search kind:enum:one active:bool:default=true:index at_home:bool:nofilter"
    " state:enum:new/in-progress/done:default=new:index:readonly points:int:readonly:default=3"
    " labels:array:str:20:min=1:max=3 days:array:date amounts:array:decimal:8.3"
    " order:ref:order:unique plain:ref:client:nofilter --owner user --plural people",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_an_entity_is_clean_at_once_and_leaves_nothing_behind(project: Project) -> None:
    written = project.app(CUSTOMER) + project.app(INVOICE)
    for check in ("format", "lint", "imports", "types", "tests"):
        assert len(re.findall(rf"^ +passed  {check} in", written, re.MULTILINE)) == 2
    assert "    create  src/app/invoices/models.py\n" in written
    assert "\n  GET /api/v1/customers/{customer_id}/invoices\n" in written
    assert "/api/v1/invoices?number=NUMBER1&order_by=-number' -H" in written

    before = project.changes()
    again = project.app(INVOICE)
    assert {line.split()[0] for line in again.splitlines() if "/" in line} == {"identical"}
    assert project.changes() == before

    refused = project.app("remove entity customer", status=2)
    assert "customer: cannot be removed while invoices.customer_id still refers to it" in refused
    project.app("remove entity invoice")
    project.app("remove entity customer")
    assert project.changes() == ""


def test_a_check_that_fails_is_told_with_its_output(project: Project) -> None:
    project.app(f"{CUSTOMER} --no-verify")
    tests = project.root / "tests/customers/test_customers.py"
    broken = 'def test_of_a_rule() -> None:\n    three: int = "3"\n    assert three == 3\n'
    tests.write_text(f"{tests.read_text()}\n\n{broken}")
    failed = project.app("new field customer note:text:null", status=1)
    assert re.search(r"^ +FAILED  types in", failed, re.MULTILINE)
    assert re.search(r"^ +FAILED  tests in", failed, re.MULTILINE)
    assert "test_customers.py:" in failed
    assert "FAILED tests/customers/test_customers.py::test_of_a_rule - AssertionError" in failed


def test_every_type_and_flag_is_clean(project: Project) -> None:
    for name, line in EVERYTHING.items():
        project.app(f"new entity {name} {line} --no-verify")
    plurals = ["clients", "orders", "entries", "people"]
    folders = [f"tests/{each}" for each in plurals]
    project.run("ruff", "check", "src", "alembic", *folders)
    project.run("ruff", "format", "--check", "src", "alembic", *folders)
    project.run("lint-imports")
    project.run("pyrefly", "check")
    suite = ["tests/conformance", "tests/database/test_migrations.py", *folders]
    project.run("pytest", "-q", "-n", "2", *suite, *(f"--resource={each}" for each in plurals))
    for name in reversed(EVERYTHING):
        project.app(f"remove entity {name}")
    assert project.changes() == ""  # the list of public routes too


def test_a_field_comes_and_goes_through_every_layer_and_edits_stay(project: Project) -> None:
    project.app(f"{CUSTOMER} --no-verify")
    project.app(f"{INVOICE} --no-verify")
    models, schemas = "src/app/invoices/models.py", "src/app/invoices/schemas.py"
    rule = "\n    @property\n    def is_paid(self) -> bool:\n        return self.status == 'paid'\n"
    project.edit(models, "ARRAY(String(255)))\n", f"ARRAY(String(255)))\n{rule}".replace("'", '"'))
    project.edit(models, "from datetime import date\n", "from datetime import date, timedelta\n")
    project.edit(models, "\n\nclass Invoice(", "\n\nGRACE = timedelta(days=1)\n\n\nclass Invoice(")
    project.edit("src/app/invoices/filters.py", "    due_on__gt: Day | None = None\n", "")
    project.commit()

    added = project.app(
        "new field invoice paid_at:datetime:null rating:int:min=1:max=5:default=3:index"
        " kind:enum:a/b:default=a sold_to:ref:customer:null:ondelete=setnull --no-verify"
    )
    assert re.findall("GET .*", added) == ["GET /api/v1/customers/{customer_id}/sold-to-invoices"]
    assert "curl" not in added
    for layer in ("models", "schemas", "filters"):
        assert "rating" in project.read(f"src/app/invoices/{layer}.py")
    assert "from datetime import date, datetime, timedelta\n" in project.read(models)
    assert "def is_paid" in project.read(models)
    assert "due_on__gt:" not in project.read("src/app/invoices/filters.py")
    project.run("pytest", "-q", "-n0", "tests/invoices", "tests/database/test_migrations.py")
    project.run("ruff", "check", "src", "tests/invoices", "alembic")
    assert "Nothing to do" in project.app("new field invoice paid_at:datetime:null")

    project.app("remove field invoice rating --no-verify")
    assert "rating" not in project.read(models) + project.read(schemas)
    project.run("pytest", "-q", "-n0", "tests/database/test_migrations.py")

    project.commit()
    project.app("new field invoice note:text:null --no-verify")
    project.app("remove field invoice note --no-verify")
    assert project.changes() == ""

    project.edit(schemas, "    paid_at: Timestamp | None = UNSET", "    paid_at: Timestamp = UNSET")
    before = project.changes()
    refused = project.app("remove field invoice paid_at", status=1)
    assert f"  conflict  {schemas}\n" in refused
    assert "\n-    paid_at: Timestamp = UNSET\n" in refused
    assert "Nothing was written, because of the conflicts" in refused
    assert project.changes() == before


def test_an_edited_file_is_not_overwritten_and_not_deleted(project: Project) -> None:
    line = f"{CUSTOMER} --no-verify"
    project.app(line)
    service = "src/app/customers/service.py"
    generated = project.read(service)
    project.edit(service, "Rules of", "My own rules of")

    refused = project.app(line, status=1)
    assert f"  conflict  {service}\n" in refused
    assert "My own rules of" in refused
    assert f"    update  {service}\n" in project.app(f"{line} --force")
    assert project.read(service) == generated

    project.edit(service, "Rules of", "My own rules of")
    own = project.root / "tests/customers/test_rules.py"
    own.write_text("from tests.customers.factory import create_customer\n")
    kept = project.app("remove entity customer")
    assert f"      keep  {service}\n" in kept
    assert "      keep  tests/customers/test_rules.py\n" in kept
    assert "They may import modules that are gone" in kept
    assert "rm -r src/app/customers tests/customers" in kept
    assert project.changes() == "?? src/app/customers/\n?? tests/customers/\n"


def test_a_migration_that_was_applied_is_undone_by_another_one(project: Project) -> None:
    project.app(f"{CUSTOMER} --no-verify")
    project.app(f"{INVOICE} --no-verify")
    project.app("remove entity invoice")
    project.app("migrate")
    removed = project.app("remove entity customer")
    assert re.search(r"create  alembic/versions/\w+_drop_customers.py", removed)
    assert "remove  alembic" not in removed
    project.app("migrate")
    project.app(f"{CUSTOMER} --no-verify")  # once more, on top of it
    project.run("pytest", "-q", "-n0", "tests/customers", "tests/database/test_migrations.py")


def test_of_two_unapplied_migrations_the_first_one_can_go(project: Project) -> None:
    project.app("new entity author name:str --no-verify")
    project.commit()
    project.app(f"{CUSTOMER} --no-verify")
    project.app("remove entity author")
    project.run("pytest", "-q", "-n0", "tests/database/test_migrations.py", "-k", "agree or head")


def test_nothing_is_written_by_a_bad_line_or_a_dry_run(project: Project) -> None:
    bad = project.app("new entity invoice number:strng page:int --json", status=2)
    assert len(json.loads(bad)["problems"]) == 2
    dry = json.loads(project.app(f"{CUSTOMER} --dry-run --json"))
    assert {each["verb"] for each in dry["files"]} == {"create"}
    assert "GET /api/v1/customers" in dry["routes"]
    assert "A dry run" in project.app(f"{CUSTOMER} --dry-run")
    assert project.changes() == ""
    assert "alembic" not in project.app(f"{CUSTOMER} --no-migrate --no-verify").split("GET")[0]


def test_a_list_below_a_public_entity_is_public_where_its_rows_are(project: Project) -> None:
    project.app("new entity room name:str --public --no-verify")
    project.app("new entity author name:str --no-verify")
    project.app("new entity book room:ref:room author:ref:author --public --no-verify")
    project.app("new field book lent_to:ref:room:null --no-verify")
    routes = project.app("routes")
    assert re.search(r"/rooms/{room_id}/books +public", routes)
    assert re.search(r"/rooms/{room_id}/lent-to-books +public", routes)
    assert re.search(r"/authors/{author_id}/books +session", routes)
    project.app("remove field book lent_to --no-verify")
    assert "lent-to-books" not in project.app("routes")


def test_a_template_of_the_projects_own_goes_first(project: Project) -> None:
    own = project.root / "templates/entity/service.py.jinja"
    own.parent.mkdir(parents=True)
    original = project.read("src/app/cli/templates/entity/service.py.jinja")
    own.write_text(original.replace("Rules of", "House rules of"))
    project.app(f"{CUSTOMER} --no-verify")
    assert '"""House rules of customers' in project.read("src/app/customers/service.py")
    own.write_text("#% if")
    refused = project.app("new entity author name:str", status=2)
    assert "entity/service.py.jinja: " in refused


def test_a_migration_of_other_tables_too_stays(project: Project) -> None:
    for name in ("author", "book"):
        project.app(f"new entity {name} name:str --no-migrate --no-verify")
    project.app("migrate")
    project.run("alembic", "revision", "--autogenerate", "-m", "both")
    removed = project.app("remove entity book")
    assert re.search(r"create  alembic/versions/\w+_drop_books.py", removed)
    assert "remove  alembic" not in removed
    assert "both.py" in project.changes()


@pytest.mark.skipif(find("item") is None, reason="the example entity was removed")
def test_the_example_leaves_nothing_behind(project: Project) -> None:
    removed = project.app("remove entity item")
    verbs = {line.split()[0] for line in removed.splitlines() if line.startswith("    ")}
    assert verbs == {"update", "remove"}
    gone = [line for line in project.changes().splitlines() if line.startswith(" D ")]
    assert {line.split("/items/")[0] for line in gone if "/items/" in line} == {
        " D src/app",
        " D tests",
    }
    [migration] = [line for line in gone if "/items/" not in line]
    assert migration.endswith("_items.py")
    [follower] = [line for line in project.changes().splitlines() if line not in gone]
    assert follower.startswith(" M alembic/versions/")
    project.run("ruff", "check")
    project.run("ruff", "format", "--check")
    project.run("lint-imports")
    project.run("pyrefly", "check")
    project.run("pytest", "-q", "-n0", "--collect-only")
    suite = [
        "tests/database/test_migrations.py",
        "tests/cli/generator",
        "tests/core",
        "tests/lamps",
    ]
    project.run("pytest", "-q", "-n2", *suite)


def test_a_migration_that_alembic_wrote_goes_too_and_a_missing_one_is_made(
    project: Project,
) -> None:
    line = f"{CUSTOMER} --no-verify"
    field = "new field customer note:text:null --no-verify"
    project.app(f"{line} --no-migrate")
    project.app("migrate")
    project.commit()
    project.run("alembic", "revision", "--autogenerate", "-m", "by hand")
    assert "by_hand.py" in project.changes()
    assert "alembic/versions" not in project.app(line)
    project.app(f"{field} --no-migrate")
    assert re.search(r"create  alembic/versions/\w+_customers_with_note.py", project.app(field))
    project.run("pytest", "-q", "-n0", "tests/database/test_migrations.py")
    assert "Nothing to do" in project.app(field)
    removed = project.app("remove entity customer")
    assert len(re.findall(r"remove  alembic/versions/\w+(by_hand|with_note).py", removed)) == 2

    project.app(f"{line} --no-migrate")
    assert re.search(r"create  alembic/versions/\w+_customers.py", project.app(line))
