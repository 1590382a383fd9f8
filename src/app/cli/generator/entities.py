"""What `app new entity` and `app remove entity` do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.cli.generator.changeset import Changeset
from app.cli.generator.files.manifest import Manifest, existing, find, targets
from app.cli.generator.grammar import names
from app.cli.generator.grammar.parsing import parse_fields
from app.cli.generator.grammar.spec import EntitySpec, FieldSpec, SpecError
from app.cli.generator.rendering import public_routes
from app.cli.generator.rendering.clashes import (
    wrong_with_entity,
    wrong_with_fields,
    wrong_with_plural,
)
from app.cli.generator.rendering.entity_files import render
from app.cli.generator.rendering.entity_source import EntitySource
from app.cli.generator.revisions import drafts, history, withdrawal
from app.core.registry import load_models, modules
from app.database.migrations import ROOT


@dataclass(frozen=True, slots=True)
class Request:
    """`app new entity`, as it was typed."""

    name: str
    fields: Sequence[str]
    plural: str | None = None
    owner: str | None = None
    public: bool = False
    key: str | None = None


def new_entity(request: Request, *, migrate: bool = True, force: bool = False) -> Changeset:
    """Raises SpecError with everything that is wrong with the line."""
    manifest = find(request.name)
    spec = _spec(request, is_new=manifest is None)
    entity = EntitySource(spec, targets())
    files = render(entity)
    changeset = Changeset(entity)
    written = Manifest.of(spec, files)
    if manifest is not None and replace(written, files={}) != replace(manifest, files={}):
        raise SpecError([f"{request.name}: exists already, from this line:\n{manifest.line}"])
    changeset.create(files, force=force)
    if manifest is None or force:
        changeset.update({written.path: written.text()})
    changeset.update(public_routes.added(entity))
    if migrate and not history.of_table(spec.plural):
        changeset.update(drafts.make(names.words(spec.plural), spec.plural, files))
    return changeset


def remove_entity(name: str, *, migrate: bool = True) -> Changeset:
    """Raises SpecError while other entities refer to it."""
    manifest = existing(name)
    spec = manifest.spec()
    if referring := _referring(spec.plural):
        raise SpecError(
            [f"{spec.name}: cannot be removed while {', '.join(referring)} still refers to it"]
        )
    changeset = Changeset(EntitySource(spec, targets()))
    for path in map(Path, manifest.files):
        if manifest.is_as_written(path):
            changeset.remove(path)
        elif (ROOT / path).exists():
            changeset.keep(path)
    for path in manifest.beside():
        changeset.keep(path)
    changeset.remove(manifest.path)
    changeset.update(public_routes.removed(changeset.entity))
    made = history.of_table(spec.plural)
    if not migrate or not made:
        return changeset
    withdrawn = withdrawal.withdraw(made, spec.plural)
    if withdrawn is None:
        message = f"drop {names.words(spec.plural)}"
        changeset.update(drafts.unmake(message, spec.plural, manifest.package()))
    else:
        changeset.withdraw(withdrawn)
    return changeset


def _spec(request: Request, *, is_new: bool) -> EntitySpec:
    plural = request.plural or names.plural(request.name)
    problems = _wrong_names(request, plural, is_new=is_new)
    if request.owner not in {None, "user"}:
        problems.append(f"--owner {request.owner}: can only be user")
    fields, wrong_fields = parse_fields(request.fields, request.name, targets())
    problems += wrong_fields + _wrong_key(request.key, fields)
    spec = EntitySpec(
        request.name, plural, tuple(fields), request.owner is not None, request.public, request.key
    )
    if not wrong_fields:
        problems += wrong_with_fields(EntitySource(spec, targets()))
    if problems:
        raise SpecError(problems)
    return spec


def _wrong_names(request: Request, plural: str, *, is_new: bool) -> list[str]:
    problems = []
    if wrong := wrong_with_entity(request.name):
        problems.append(f"{request.name}: {wrong}")
    elif request.plural is None and names.is_plural(request.name):
        one = names.singular(request.name)
        problems.append(f"{request.name}: looks like a plural: use {one}, or give a --plural")
    if problems and request.plural is None:
        return problems  # the right name has another plural
    if wrong := wrong_with_plural(plural):
        problems.append(f"{plural}: {wrong}")
    elif plural == request.name:
        problems.append(
            f"{plural}: the plural must differ from the name; give another one with --plural"
        )
    elif is_new:
        problems += _taken(plural)
    return problems


def _wrong_key(key: str | None, fields: Sequence[FieldSpec]) -> list[str]:
    unique = [each.name for each in fields if each.has("unique")]
    if key is None or any(key in {each.name, each.column} for each in fields if each.has("unique")):
        return []
    hint = names.suggest(key, unique) if unique else f"{key}:…:unique makes it one"
    return [f"--key {key}: is not a unique field; {hint}"]


def _taken(plural: str) -> list[str]:
    kinds = []
    if any((ROOT / folder / plural).is_file() for folder in ("src/app", "tests")):
        kinds.append("file")
    if any(any((ROOT / folder / plural).glob("*.*")) for folder in ("src/app", "tests")):
        kinds.append("package")
    if any((ROOT / folder / f"{plural}.py").exists() for folder in ("src/app", "tests")):
        kinds.append("module")
    if plural in load_models().metadata.tables:
        kinds.append("table")
    if f"/{plural.replace('_', '-')}" in {module.router.prefix for module in modules("router")}:
        kinds.append("route")
    if not kinds:
        return []
    return [
        f"{plural}: there is a {' and a '.join(kinds)} of that name; give another one with --plural"
    ]


def _referring(table: str) -> list[str]:
    tables = load_models().metadata.tables
    return [
        f"{other.name}.{key.parent.name}"
        for other in tables.values()
        if other.name != table
        for key in sorted(other.foreign_keys, key=lambda key: key.parent.name)
        if key.column.table.name == table
    ]
