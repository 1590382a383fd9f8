import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Annotated

import typer

from app.cli.generator import entities, fields, report
from app.cli.generator.changeset import Changeset
from app.cli.generator.checks.scratch_server import scratch_server
from app.cli.generator.checks.verify import Result, verify
from app.cli.generator.entities import Request
from app.cli.generator.grammar.spec import SpecError

Fields = Annotated[list[str], typer.Argument(help="name:type[:argument][:flag…]", metavar="FIELD…")]
Entity = Annotated[str, typer.Argument(help="In the singular: line_item.", metavar="ENTITY")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and stop.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
NoMigrate = Annotated[bool, typer.Option("--no-migrate", help="Leave the migrations alone.")]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="Do not run the checks.")]


def new_entity(  # noqa: PLR0917 - options of a command
    name: Entity,
    fields: Fields,
    owner: Annotated[
        str | None, typer.Option(help="user: each row is its creator's alone.", metavar="user")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Anyone may read it, without a session.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option(help="The field that bulk upserts match by. Default: the first unique one."),
    ] = None,
    plural: Annotated[
        str | None, typer.Option(help="For irregular nouns: --plural people.")
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
    request = Request(name, fields, plural, owner, public, key)
    work_out = partial(entities.new_entity, request, migrate=not no_migrate, force=force)
    _run(
        work_out, as_json=as_json, dry_run=dry_run, migrates=not no_migrate, verifies=not no_verify
    )


def new_field(  # noqa: PLR0917
    entity: Entity,
    texts: Fields,
    dry_run: DryRun = False,
    as_json: Json = False,
    no_migrate: NoMigrate = False,
    no_verify: NoVerify = False,
) -> None:
    """Add fields to an entity, in all of its files. Your own edits stay."""
    work_out = partial(fields.new_field, entity, texts, migrate=not no_migrate)
    _run(
        work_out, as_json=as_json, dry_run=dry_run, migrates=not no_migrate, verifies=not no_verify
    )


def remove_field(  # noqa: PLR0917
    entity: Entity,
    field: Annotated[str, typer.Argument(help="Its name.")],
    dry_run: DryRun = False,
    as_json: Json = False,
    no_migrate: NoMigrate = False,
    no_verify: NoVerify = False,
) -> None:
    """Remove a field from an entity, in all of its files. Your own edits stay."""
    work_out = partial(fields.remove_field, entity, field, migrate=not no_migrate)
    _run(
        work_out, as_json=as_json, dry_run=dry_run, migrates=not no_migrate, verifies=not no_verify
    )


def remove_entity(
    entity: Entity, dry_run: DryRun = False, as_json: Json = False, no_migrate: NoMigrate = False
) -> None:
    """Remove an entity. Files that you have edited stay. Its migration is deleted, unless it was
    applied or makes other tables too: then a new migration drops the table."""
    work_out = partial(entities.remove_entity, entity, migrate=not no_migrate)
    _run(work_out, as_json=as_json, dry_run=dry_run, verifies=False, removes=True)


def _run(
    work_out: Callable[[], Changeset],
    *,
    as_json: bool,
    dry_run: bool,
    verifies: bool,
    migrates: bool = True,
    removes: bool = False,
) -> None:
    """Work out the changes, make them and report; exit with 1 for a conflict or a failed check."""
    needs_server = verifies and migrates and not dry_run
    with scratch_server() if needs_server else nullcontext(lambda: None) as server:
        changeset = _worked_out(work_out, as_json=as_json)
        writes = not (changeset.differences or dry_run)
        if writes:
            changeset.carry_out()
        if not as_json:
            print(*report.changes(changeset), *changeset.differences, sep="\n", flush=True)
        results: list[Result] = []
        if writes and verifies and changeset.writes:
            for result in verify(changeset, migrates=migrates, server=server):
                if not as_json:
                    print(*([""] if not results else []), result, sep="\n", flush=True)
                results.append(result)
    if as_json:
        print(report.as_json(report.of(changeset, results)))
    else:
        print(
            report.outcome(changeset, results, dry_run=dry_run, migrates=migrates, removes=removes)
        )
    if changeset.differences or not all(result.passed for result in results):
        sys.exit(1)


def _worked_out(work_out: Callable[[], Changeset], *, as_json: bool) -> Changeset:
    try:
        return work_out()
    except SpecError as error:
        if as_json:
            print(report.as_json({"problems": error.problems}))
        else:
            print(*error.problems, sep="\n", file=sys.stderr)
            print("Nothing was written; see also `app new --help`.", file=sys.stderr)
        sys.exit(2)
