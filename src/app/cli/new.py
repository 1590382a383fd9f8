import json
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from app.cli.generator import actions
from app.cli.generator.actions import Plan, Request
from app.cli.generator.kinds import ELEMENTS, FLAGS, KINDS, VALUED
from app.cli.generator.spec import SpecError
from app.cli.generator.verify import Result, verify

TYPES = "\n".join(
    f"  {kind.name + (':…' if kind.argument or kind.name == 'array' else ''):12}{kind.help}"
    for kind in KINDS.values()
)
FLAG_TABLE = "\n".join(
    f"  {flag + ('=V' if flag in VALUED else ''):12}{text.removeprefix('=V: ')}"
    for flag, text in FLAGS.items()
)
GRAMMAR = f"""\b
A field is name:type[:argument][:flag…], such as amount:decimal:12.2:min=0

\b
Types
{TYPES}
  An array is of {", ".join(ELEMENTS)}.

\b
Flags
{FLAG_TABLE}
"""

new = typer.Typer(no_args_is_help=True, help="Write an entity, or a field of one.", epilog=GRAMMAR)
remove = typer.Typer(no_args_is_help=True, help="Take an entity, or a field of one, away again.")

Fields = Annotated[list[str], typer.Argument(help="name:type[:argument][:flag…]", metavar="FIELD…")]
Entity = Annotated[str, typer.Argument(help="In the singular: line_item.", metavar="ENTITY")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
NoMigrate = Annotated[bool, typer.Option("--no-migrate", help="Write no migration.")]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="Do not run the checks.")]


@new.command("entity", epilog=GRAMMAR)
def new_entity(  # noqa: PLR0917 - options of a command
    name: Entity,
    fields: Fields,
    owner: Annotated[
        str | None, typer.Option(help="user: each row is its creator's alone.", metavar="user")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Anyone may read it.")] = False,
    key: Annotated[
        str | None, typer.Option(help="The natural key; by default the first unique field.")
    ] = None,
    plural: Annotated[
        str | None, typer.Option(help="Where English has an exception: --plural people.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    no_migrate: NoMigrate = False,
    no_verify: NoVerify = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that differ from what is generated.")
    ] = False,
) -> None:
    """Write an entity: model, schemas, filters, repository, service, routes, migration, tests."""
    request = Request(name, fields, plural, owner, public, key, not no_migrate, force)
    done = _do(lambda: actions.new_entity(request), as_json=as_json, dry_run=dry_run)
    _finish(done, as_json=as_json, dry_run=dry_run, verifies=not no_verify)


@new.command("field", epilog=GRAMMAR)
def new_field(  # noqa: PLR0917
    entity: Entity,
    fields: Fields,
    dry_run: DryRun = False,
    as_json: Json = False,
    no_migrate: NoMigrate = False,
    no_verify: NoVerify = False,
) -> None:
    """Add fields to an entity, in all of its files; what was edited there stays."""

    def plan() -> Plan:
        return actions.new_field(entity, fields, migrate=not no_migrate)

    done = _do(plan, as_json=as_json, dry_run=dry_run)
    _finish(done, as_json=as_json, dry_run=dry_run, verifies=not no_verify)


@remove.command("field")
def remove_field(  # noqa: PLR0917
    entity: Entity,
    field: Annotated[str, typer.Argument(help="Its name.")],
    dry_run: DryRun = False,
    as_json: Json = False,
    no_migrate: NoMigrate = False,
    no_verify: NoVerify = False,
) -> None:
    """Take a field away from an entity, in all of its files; what was edited there stays."""

    def plan() -> Plan:
        return actions.remove_field(entity, field, migrate=not no_migrate)

    done = _do(plan, as_json=as_json, dry_run=dry_run)
    _finish(done, as_json=as_json, dry_run=dry_run, verifies=not no_verify)


@remove.command("entity")
def remove_entity(
    entity: Entity, dry_run: DryRun = False, as_json: Json = False, no_migrate: NoMigrate = False
) -> None:
    """Take an entity away. Files that were edited stay; a migration that was applied is undone
    by another one, and one that was not is deleted."""

    def plan() -> Plan:
        return actions.remove_entity(entity, migrate=not no_migrate)

    done = _do(plan, as_json=as_json, dry_run=dry_run)
    if as_json:
        print(json.dumps(_as_json(done), indent=2))
    elif any(change.verb == "keep" for change in done.changes):
        print("\nWhat is kept was edited: it is yours to delete.")


def _do(work_out: Callable[[], Plan], *, as_json: bool, dry_run: bool) -> Plan:
    """Carry a plan out, and say so; exit with 2 for a bad line, and 1 for a conflict."""
    try:
        plan = work_out()
    except SpecError as error:
        if as_json:
            print(json.dumps({"problems": error.problems}, indent=2))
        else:
            print(*error.problems, sep="\n", file=sys.stderr)
            print("Nothing was written; `app new --help` has the types and flags", file=sys.stderr)
        sys.exit(2)
    if not as_json:
        print(*plan.changes, sep="\n")
    if plan.differences:
        if as_json:
            print(json.dumps(_as_json(plan) | {"differences": plan.differences}, indent=2))
        else:
            print(*plan.differences, sep="\n")
            print("Nothing was written, because of the conflicts", file=sys.stderr)
        sys.exit(1)
    if not dry_run:
        plan.carry_out()
    return plan


def _finish(plan: Plan, *, as_json: bool, dry_run: bool, verifies: bool) -> None:
    """Run the checks of what was written, and say what comes next."""
    results = []
    if verifies and not dry_run and plan.writes:
        if not as_json:
            print()
        for result in verify(plan.entity, list(plan.writes)):
            results.append(result)
            if not as_json:
                print(result, flush=True)
    if as_json:
        print(json.dumps(_as_json(plan, results), indent=2))
    else:
        print(*(result.output for result in results if not result.passed), sep="\n", end="")
        print(_next_steps(plan))
    if not all(result.passed for result in results):
        sys.exit(1)


def _as_json(plan: Plan, results: list[Result] | None = None) -> dict[str, object]:
    return {
        "files": [{"verb": change.verb, "path": str(change.path)} for change in plan.changes],
        "routes": plan.entity.routes,
        "checks": [
            {"name": each.name, "passed": each.passed, "seconds": round(each.seconds, 1)}
            for each in results or []
        ],
    }


def _next_steps(plan: Plan) -> str:
    base = f"http://127.0.0.1:8000/api/v1/{plan.entity.path}"
    auth = '-H "Authorization: Bearer $token"'
    body = json.dumps(plan.entity.example)
    routes = "\n".join(f"  {route}" for route in plan.entity.routes)
    return f"""
{routes}

  curl -s {base} {auth} -H 'Content-Type: application/json' -d '{body}'
  curl -s '{base}?{plan.entity.example_query}' {auth}
  curl -s '{base}?size=10&total=none' {auth}

  `uv run app dev` migrates and serves it.
  Its rules go into src/app/{plan.entity.plural}/service.py,
  and their tests into tests/{plan.entity.plural}/.
"""
