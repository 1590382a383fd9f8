"""What `app new field` and `app remove field` do: the same entity, from another line."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.cli.generator import migrations, names
from app.cli.generator.files import Change, Files, merged, on_disk, render
from app.cli.generator.manifest import Manifest, existing, targets
from app.cli.generator.parsing import parse_fields
from app.cli.generator.plan import Plan
from app.cli.generator.source import EntitySource
from app.cli.generator.spec import EntitySpec, FieldSpec, SpecError


def new_field(name: str, texts: Sequence[str], *, migrate: bool = True) -> Plan:
    """Raises SpecError, with all that is wrong with the fields."""
    manifest = existing(name)
    old = manifest.spec()
    known = {each.text for each in old.fields}
    fresh = [text for text in texts if text not in known]
    if not fresh:
        plan = Plan(EntitySource(old, targets()))
        plan.changes = [Change("identical", Path(path)) for path in manifest.files]
        return plan
    added = _added(fresh, old)
    spec = replace(old, fields=(*old.fields, *added))
    plan = _changed(manifest, spec)
    if plan.differences:
        return plan
    revisions = manifest.revisions
    if migrate:
        package = manifest.package() | plan.writes
        columns = {each.column: _sql_default(each) for each in added}
        migration = migrations.make(_with(old, added), old.plural, package, columns)
        plan.create({migration.path: migration.text})
        revisions = [*revisions, migration.revision]
    plan.update(_remembered(plan.entity, revisions))
    return plan


def remove_field(name: str, field_name: str, *, migrate: bool = True) -> Plan:
    """Raises SpecError."""
    manifest = existing(name)
    old = manifest.spec()
    gone = [each for each in old.fields if field_name in {each.name, each.column}]
    if not gone:
        hint = names.suggest(field_name, [each.name for each in old.fields])
        raise SpecError([f"{field_name}: {old.name} has no such field; {hint}"])
    if len(old.fields) == 1:
        raise SpecError([f"{field_name}: is the only one; `app remove entity {old.name}`?"])
    left = tuple(each for each in old.fields if each not in gone)
    key = None if old.key in {each.name for each in gone} else old.key
    plan = _changed(manifest, replace(old, fields=left, key=key))
    if plan.differences:
        return plan
    revisions = manifest.revisions
    if migrate:
        withdrawn = None
        if migrations.message(revisions[-1:]) == _with(old, gone):
            withdrawn = migrations.withdraw(revisions[-1:])
        if withdrawn is None:
            columns = {each.column: _sql_default(each) for each in gone}
            message = _with(old, gone).replace(" with ", " without ")
            migration = migrations.unmake(message, old.plural, manifest.package(), columns)
            plan.create({migration.path: migration.text})
            revisions = [*revisions, migration.revision]
        else:
            plan.update(withdrawn.changed)
            for path in withdrawn.deleted:
                plan.remove(path)
            revisions = revisions[:-1]
    plan.update(_remembered(plan.entity, revisions))
    return plan


def _added(fresh: Sequence[str], old: EntitySpec) -> Sequence[FieldSpec]:
    has = {each.column: each.text for each in old.fields}
    fields, problems = parse_fields(fresh, old.name, targets())
    for each in fields:
        if each.column in has:
            problems.append(f"{each.text}: {old.name} has {has[each.column]}")
        if each.has("unique"):
            problems.append(f"{each.text}: rows that are there already have no values that differ")
        elif not (each.nullable or each.has("default")):
            problems.append(f"{each.text}: rows that are there already need null or a default")
    spec = replace(old, fields=(*old.fields, *fields))
    problems += EntitySource(spec, targets()).too_long_names
    if problems:
        raise SpecError(problems)
    return fields


def _changed(manifest: Manifest, spec: EntitySpec) -> Plan:
    """The files as the new line has them; what was changed in them by hand stays."""
    way_out = "put these lines back to what was generated first, or make the change by hand"
    plan = Plan(EntitySource(spec, targets()), way_out)
    base = render(EntitySource(manifest.spec(), targets()))
    generated = render(plan.entity)
    edited: dict[Path, str] = {}
    for path in generated:
        current = on_disk(path)
        if current is not None and not manifest.is_as_written(path):
            edited[path] = current
    for path, text in merged(base, edited, generated).items():
        if base[path] == generated[path]:
            continue
        if text is None:
            plan.conflict(path, generated[path])
        else:
            plan.update({path: text})
    plan.update({path: text for path, text in generated.items() if manifest.is_as_written(path)})
    return plan


def _remembered(entity: EntitySource, revisions: list[str]) -> Files:
    changed = Manifest.of(entity.spec, render(entity), revisions)
    return {changed.path: changed.text()}


def _with(entity: EntitySpec, fields: Sequence[FieldSpec]) -> str:
    columns = " and ".join(each.column for each in fields)
    return f"{names.words(entity.plural)} with {columns}"


def _sql_default(each: FieldSpec) -> str | None:
    """What existing rows get."""
    return f"'{each.flags['default']}'" if each.has("default") else None
