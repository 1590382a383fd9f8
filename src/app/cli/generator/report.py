"""What the commands tell at their end, to people and to programs."""

import json
from collections.abc import Sequence

from app.cli.generator.files import Change
from app.cli.generator.plan import Plan
from app.cli.generator.source import EntitySource
from app.cli.generator.verify import Result


def of(plan: Plan, results: Sequence[Result]) -> dict[str, object]:
    return {
        "files": [{"verb": change.verb, "path": str(change.path)} for change in changes(plan)],
        "differences": plan.differences,
        "routes": plan.entity.routes,
        "checks": [
            {"name": each.name, "passed": each.passed, "seconds": round(each.seconds, 1)}
            for each in results
        ],
    }


def changes(plan: Plan) -> list[Change]:
    return sorted(plan.changes, key=lambda change: change.path)


def as_json(value: object) -> str:
    return json.dumps(value, indent=2)


def outcome(
    plan: Plan, results: Sequence[Result], *, dry_run: bool, migrates: bool, removes: bool
) -> str:
    if plan.differences:
        return f"Nothing was written, because of the conflicts; {plan.way_out}."
    if dry_run:
        return "\nA dry run: nothing was written."
    if removes:
        return _left(plan)
    if not plan.writes:
        return "\nNothing to do: all of it is there."
    failed = "\n".join(result.output for result in results if not result.passed)
    return failed + _next_steps(plan.entity, migrates=migrates)


def _left(plan: Plan) -> str:
    if not plan.kept:
        return f"\n`uv run app dev` serves what is left, without {plan.entity.path}."
    folders = " ".join(sorted({str(path.parent) for path in plan.kept}))
    return f"\nWhat is kept was edited; when you need it no more: rm -r {folders}"


def _next_steps(entity: EntitySource, *, migrates: bool) -> str:
    base = f"http://127.0.0.1:8000/api/v1/{entity.path}"
    auth = '-H "Authorization: Bearer $token"'
    body = json.dumps(entity.example)
    routes = "\n".join(f"  {route}" for route in entity.routes)
    migration = f'uv run alembic revision --autogenerate -m "{entity.plural}"'
    first = "" if migrates else f"  {migration}\n"
    return f"""
{routes}

  curl -s {base} {auth} -H 'Content-Type: application/json' -d '{body}'
  curl -s '{base}?{entity.example_query}' {auth}
  curl -s '{base}?size=10&total=none' {auth}

Next
{first}  uv run app dev   migrates and serves it; $token is what POST /api/v1/auth/login answers
  src/app/{entity.plural}/service.py   is for its rules, and tests/{entity.plural}/ for their tests
"""
