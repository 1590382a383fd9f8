"""A project that gets a name of its own."""

import re
import shutil
import tomllib
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.accounts.passwords import require_strong
from app.cli.generator.files.manifest import find
from app.cli.generator.grammar.spec import SpecError
from app.cli.identity.edits import EDITS, edited
from app.cli.identity.names import Identity, identity
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Invalid
from app.main import Application, create_app
from tests.cli.project import Project

QUOKKA = Identity("quokka-shop", "Quokka Shop", 'Ada "A" Lovelace <ada@example.com>')
NAMES = re.compile("quokka", re.IGNORECASE)


class TestNames:
    def test_people_read_the_name_as_words(self) -> None:
        found = identity("quokka-shop2", None)
        assert (found.title, found.database) == ("Quokka Shop2", "quokka_shop2")
        assert identity("quokka", "Quokka & Sons").title == "Quokka & Sons"

    @pytest.mark.parametrize(
        ("name", "title", "problem"),
        [
            ("Quokka", None, "begin with a letter, such as quokka"),
            ("quokka_shop", None, "such as quokka-shop"),
            ("quokka--shop", None, "such as quokka-shop"),
            ("2quokkas", None, "such as quokkas"),
            ("q" * 41, None, f"such as {'q' * 40}"),
            ("été", None, "up to 40 lower-case letters"),
            ("", None, "up to 40 lower-case letters"),
            ("fastapi", None, "fastapi: is a package that the project uses"),
            ("template1", None, "a database of PostgreSQL's own"),
            ("quokka", "", "--title: must have 1 to 50 characters"),
            ("quokka", "q" * 51, "--title: must have 1 to 50 characters"),
            ("quokka", "a\nb", "--title: must be one line of printable characters"),
            ("quokka", 'a"b', "--title: must be without quotes"),
        ],
    )
    def test_what_is_wrong_with_one(self, name: str, title: str | None, problem: str) -> None:
        with pytest.raises(SpecError) as refused:
            identity(name, title)
        assert problem in refused.value.problems[0]


class TestEdits:
    def test_the_package(self) -> None:
        found = tomllib.loads(edited(QUOKKA)[Path("pyproject.toml")])
        assert found["project"]["name"] == "quokka-shop"
        assert found["project"]["description"] == "Quokka Shop"
        assert found["project"]["authors"] == [
            {"name": 'Ada "A" Lovelace', "email": "ada@example.com"}
        ]
        assert re.fullmatch(r"\d+\.\d+\.\d+", found["tool"]["plinth"]["version"])

    @pytest.mark.parametrize("path", [each for each in EDITS if each.endswith(".lock")])
    def test_each_lock(self, path: str) -> None:
        packages = tomllib.loads(edited(QUOKKA)[Path(path)])["package"]
        names = [each["name"] for each in packages]
        assert names == sorted(names)
        [own] = [each for each in packages if each["name"] == "quokka-shop"]
        assert own["source"]["editable"] in {".", "../"}

    def test_names_of_databases_are_the_containers_own_too(self) -> None:
        text = edited(QUOKKA)[Path("compose.yaml")]
        assert text.startswith("name: quokka_shop\n", text.index("name: "))
        assert len(NAMES.findall(text)) == 7


async def test_the_application_goes_by_its_name(app: Application) -> None:
    settings = app.settings.model_copy(update={"app_name": "Quokka"})
    made = create_app(settings)
    assert isinstance(made, Application)
    assert made.openapi()["info"]["title"] == "Quokka"
    async with UnitOfWork(made.database) as work:
        row = await work.fetch_one(select(func.current_setting("application_name")))
    await made.database.close()
    assert row is not None
    assert row[0] == "quokka"
    password = partial(require_strong, "Quokka2026Quokka!", email="a@b.example", field="password")
    await password(settings=app.settings)
    with pytest.raises(Invalid):
        await password(settings=settings)


@pytest.mark.generator
class TestProjects:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        return Project(tmp_path)

    def test_is_called_anew_as_often_as_one_likes(self, project: Project) -> None:
        told = project.app("init quokka-shop")
        updated = re.findall(r"^    update  (.*)$", told, re.MULTILINE)
        assert set(updated) == set(EDITS)
        assert project.changes().splitlines() == [f" M {each}" for each in sorted(updated)]
        check(project)
        project.commit()
        origin = project.read("pyproject.toml").partition("[tool.plinth]")[2]
        assert origin

        project.app("init wombat")
        check(project)
        left = {path for path in EDITS if NAMES.search(project.read(path))}
        assert left == set()
        assert project.read("pyproject.toml").partition("[tool.plinth]")[2] == origin
        project.run("git", "checkout", ".")
        assert project.changes() == ""
        assert "Nothing to do" in project.app("init quokka-shop")

    @pytest.mark.skipif(find("item") is None, reason="the example entity was removed")
    def test_the_example_goes_with_the_old_name(self, project: Project) -> None:
        told = project.app("init quokka --without-example")
        assert "    remove  src/app/items\n" in told
        assert not (project.root / "src/app/items").exists()
        check(project)
        suite = ["tests/database/test_migrations.py", "tests/test_config.py", "tests/api"]
        suite += ["tests/test_mail.py", "tests/accounts/test_registration.py"]
        project.run("pytest", "-q", "-n2", *suite)
        project.run("git", "checkout", ".")
        assert project.changes() == ""

    @pytest.mark.skipif(find("item") is None, reason="the example entity was removed")
    def test_what_undoes_it_names_a_file_that_git_does_not_know(self, project: Project) -> None:
        project.app("migrate")
        told = project.app("init quokka --without-example")
        [undo] = re.findall(r"take all of it back: (.*)$", told, re.MULTILINE)
        assert re.fullmatch(r"git checkout . && rm alembic/versions/\w+_drop_items.py", undo)
        project.run("bash", "-c", undo)
        assert project.changes() == ""

    def test_is_refused_where_git_could_not_undo_it(self, project: Project) -> None:
        project.edit("README.md", "# ", "# My ")
        before = project.changes()
        told = project.app("init quokka", status=2)
        assert "changes that are not committed, such as README.md: commit them" in told
        assert "Nothing was written." in told
        assert project.changes() == before
        shutil.rmtree(project.root / ".git")
        assert "This is no git repository" in project.app("init quokka", status=2)

    def test_a_bad_name_writes_nothing(self, project: Project) -> None:
        told = project.app("init Quokka", status=2)
        assert "such as quokka" in told
        assert project.changes() == ""


def check(project: Project) -> None:
    """The checks that a name could break."""
    project.run("ruff", "check")
    project.run("ruff", "format", "--check")
    if shutil.which("uv"):
        project.run("uv", "lock", "--check", "--offline")
