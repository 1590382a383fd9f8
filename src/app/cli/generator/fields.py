"""What `app new field` and `app remove field` do: they write the entity from a changed line."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.cli.generator.changeset import Change, Changeset
from app.cli.generator.files.disk import Files, on_disk
from app.cli.generator.files.manifest import Manifest, existing, targets
from app.cli.generator.grammar import names
from app.cli.generator.grammar.parsing import parse_fields
from app.cli.generator.grammar.spec import EntitySpec, FieldSpec, SpecError
from app.cli.generator.rendering import public_routes
from app.cli.generator.rendering.clashes import wrong_with_fields
from app.cli.generator.rendering.entity_files import render
from app.cli.generator.rendering.entity_source import EntitySource
from app.cli.generator.rendering.tidy import merged
from app.cli.generator.revisions import drafts, history, withdrawal


def new_field(name: str, texts: Sequence[str], *, migrate: bool = True) -> Changeset:
    """Raises SpecError with everything that is wrong with the fields."""
    manifest = existing(name)
    old = manifest.spec()
    fresh = [text for text in texts if text not in manifest.fields]
    if fresh:
        spec = replace(old, fields=(*old.fields, *_added(fresh, old)))
        changeset = _changed(manifest, spec)
    else:
        spec, same = old, EntitySource(old, targets())
        changeset = Changeset(same, same)
        changeset.changes = [Change("identical", Path(path)) for path in manifest.files]
    if migrate and not changeset.differences:
        named = [each for each in spec.fields if each.text in texts]
        changeset.update(_migration(spec, named, manifest.package() | changeset.writes))
    return changeset


def remove_field(name: str, field_name: str, *, migrate: bool = True) -> Changeset:
    """Raises SpecError."""
    manifest = existing(name)
    old = manifest.spec()
    gone = [each for each in old.fields if field_name in {each.name, each.column}]
    if not gone:
        hint = names.suggest(field_name, [each.name for each in old.fields])
        raise SpecError([f"{field_name}: {old.name} has no such field; {hint}"])
    if len(old.fields) == 1:
        raise SpecError([f"{field_name}: is the only field; use `app remove entity {old.name}`"])
    left = tuple(each for each in old.fields if each not in gone)
    key = None if old.key in {each.name for each in gone} else old.key
    changeset = _changed(manifest, replace(old, fields=left, key=key))
    made = history.of_table(old.plural)
    columns = {
        each.column: _sql_default(each) for each in gone if history.has_column(made, each.column)
    }
    if changeset.differences or not (migrate and columns):
        return changeset
    latest = [each for each in made[:1] if each.doc == _with(old, gone)]
    withdrawn = withdrawal.withdraw(latest, old.plural) if latest else None
    if withdrawn is None:
        message = _with(old, gone).replace(" with ", " without ")
        changeset.update(drafts.unmake(message, old.plural, manifest.package(), columns))
    else:
        changeset.withdraw(withdrawn)
    return changeset


def _migration(entity: EntitySpec, named: Sequence[FieldSpec], package: Files) -> Files:
    """One for the columns that no migration makes yet, or for the whole table if none makes it."""
    made = history.of_table(entity.plural)
    missing = [each for each in named if not history.has_column(made, each.column)]
    if not made:
        return drafts.make(names.words(entity.plural), entity.plural, package)
    columns = {each.column: _sql_default(each) for each in missing}
    message = _with(entity, missing)
    return drafts.make(message, entity.plural, package, columns) if columns else {}


def _added(fresh: Sequence[str], old: EntitySpec) -> Sequence[FieldSpec]:
    has = {each.column: each.text for each in old.fields}
    fields, problems = parse_fields(fresh, old.name, targets())
    if not problems:
        spec = replace(old, fields=(*old.fields, *fields))
        problems += wrong_with_fields(EntitySource(spec, targets()))
    for each in fields:
        if each.column in has:
            problems.append(f"{each.text}: {old.name} already has {has[each.column]}")
        if each.has("unique"):
            problems.append(f"{each.text}: cannot be unique: existing rows would share one value")
        elif not (each.nullable or each.has("default")):
            problems.append(f"{each.text}: needs null or a default, for the existing rows")
    if problems:
        raise SpecError(problems)
    return fields


def _changed(manifest: Manifest, spec: EntitySpec) -> Changeset:
    """The files as the new line makes them, with the edits that were made by hand."""
    way_out = "restore what was generated in these lines, or make the change by hand"
    old = EntitySource(manifest.spec(), targets())
    changeset = Changeset(EntitySource(spec, targets()), old, way_out)
    base = render(old)
    generated = render(changeset.entity)
    edited: dict[Path, str] = {}
    for path in generated:
        current = on_disk(path)
        if current is not None and not manifest.is_as_written(path):
            edited[path] = current
    for path, text in merged(base, edited, generated).items():
        if base[path] == generated[path]:
            continue
        if text is None:
            changeset.conflict(path, generated[path])
        else:
            changeset.update({path: text})
    changeset.update(
        {path: text for path, text in generated.items() if manifest.is_as_written(path)}
    )
    if not changeset.differences:
        changed = Manifest.of(spec, generated)
        changeset.update({changed.path: changed.text()})
        changeset.update(public_routes.changed(old, changeset.entity))
    return changeset


def _with(entity: EntitySpec, fields: Sequence[FieldSpec]) -> str:
    columns = " and ".join(each.column for each in fields)
    return f"{names.words(entity.plural)} with {columns}"


def _sql_default(each: FieldSpec) -> str | None:
    """The SQL of the value for existing rows."""
    return f"'{each.flags['default']}'" if each.has("default") else None
