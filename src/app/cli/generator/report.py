"""What the commands print, for people and as JSON for programs."""

import json
from collections.abc import Iterator, Sequence

from app.cli.dev_address import base_url
from app.cli.generator.changeset import Change, Changeset
from app.cli.generator.checks.verify import Result
from app.cli.generator.rendering.entity_source import EntitySource
from app.cli.generator.rendering.example import Example
from app.config import Settings


def of(changeset: Changeset, results: Sequence[Result]) -> dict[str, object]:
    return {
        "files": [{"verb": change.verb, "path": str(change.path)} for change in changes(changeset)],
        "differences": changeset.differences,
        "routes": changeset.routes,
        "checks": [
            {"name": each.name, "passed": each.passed, "seconds": round(each.seconds, 1)}
            | ({} if each.passed else {"output": each.output})
            for each in results
        ],
    }


def changes(changeset: Changeset) -> list[Change]:
    return sorted(changeset.changes, key=lambda change: change.path)


def as_json(value: object) -> str:
    return json.dumps(value, indent=2)


def outcome(
    changeset: Changeset, results: Sequence[Result], *, dry_run: bool, migrates: bool, removes: bool
) -> str:
    if changeset.differences:
        return f"Nothing was written, because of the conflicts; {changeset.way_out}."
    if dry_run:
        return "\nA dry run: nothing was written."
    if removes:
        return _left(changeset)
    if not changeset.writes:
        return "\nNothing to do: everything is there already."
    failed = "\n".join(result.output for result in results if not result.passed)
    return failed + _next_steps(changeset, migrates=migrates)


def _left(changeset: Changeset) -> str:
    if not changeset.kept:
        return f"\n`uv run app dev` serves what is left, without {changeset.entity.path}."
    folders = " ".join(sorted({str(path.parent) for path in changeset.kept}))
    return f"""
The files that are kept were edited or added. They may import modules that are gone. Then the checks
fail, and so may `app dev`, until you change or delete them: rm -r {folders}"""


def _next_steps(changeset: Changeset, *, migrates: bool) -> str:
    entity = changeset.entity
    migration = f'  uv run alembic revision --autogenerate -m "{entity.plural}"\n'
    first = "" if migrates else migration
    if changeset.was:
        return "\n".join(["", *(f"  {route}" for route in changeset.routes), first]).rstrip()
    routes = "\n".join(f"  {route}" for route in changeset.routes)
    requests = "\n".join(f"  {request}" for request in _requests(entity))
    return f"""
{routes}

{requests}

Next
{first}  uv run app dev   migrates and serves it; $token is what POST /api/v1/auth/login answers
  src/app/{entity.plural}/service.py   is for its rules, and tests/{entity.plural}/ for their tests
"""


def _base_url() -> str:
    try:
        return base_url(Settings())
    except ValueError:  # a setting is malformed, as `app dev` will say
        return base_url(Settings.model_construct())


def _requests(entity: EntitySource) -> Iterator[str]:
    """Requests that run as they are, if there is a row of each entity that is referred to."""
    api, auth = f"{_base_url()}/api/v1", '-H "Authorization: Bearer $token"'
    example = Example(entity)
    body = json.dumps(example.body)
    for each in example.required_refs:
        path = "users/me" if each.table == "users" else f"{each.table.replace('_', '-')}?size=1"
        id = """grep -oE '"id":"[^"]*"' | head -1 | cut -d'"' -f4"""
        yield f"{each.name}=$(curl -s '{api}/{path}' {auth} | {id})"
        body = body.replace(
            f'"{each.name}": "{each.sample.value}"', f'"{each.name}": "\'${each.name}\'"'
        )
    base = f"{api}/{entity.path}"
    yield f"curl -s {base} {auth} -H 'Content-Type: application/json' -d '{body}'"
    yield f"curl -s '{base}?{example.query}' {auth}"
    yield f"curl -s '{base}?size=10&total=none' {auth}"
