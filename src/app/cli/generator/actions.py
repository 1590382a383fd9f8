"""What `app new` and `app remove` do: all of it is worked out before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from merge3 import Merge3

from app.cli.generator import migrations, names, public
from app.cli.generator.files import (
    Change,
    Files,
    compare,
    delete,
    difference,
    digest,
    render,
    write,
)
from app.cli.generator.manifest import Manifest, find, manifests, targets
from app.cli.generator.source import EntitySource
from app.cli.generator.spec import EntitySpec, FieldSpec, SpecError, check_key, parse_fields
from app.core.registry import load_models
from app.migrations import ROOT


@dataclass(slots=True)
class Plan:
    """Which files will be written and which deleted, and what is told about each."""

    entity: EntitySource
    changes: list[Change] = field(default_factory=list)
    writes: dict[Path, str] = field(default_factory=dict)
    deletes: list[Path] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def create(self, files: Files, *, force: bool = False) -> None:
        """Files that should not be there yet, or else be the same."""
        for change in compare(files):
            if change.verb == "conflict" and not force:
                self.differences.append(difference(change.path, files[change.path]))
            elif change.verb != "identical":
                self.writes[change.path] = files[change.path]
            self.changes.append(change)

    def update(self, files: Files) -> None:
        """Files that may be there, and be others."""
        for path, text in sorted(files.items()):
            self.writes[path] = text
            self.changes.append(Change("update" if (ROOT / path).exists() else "create", path))

    def remove(self, path: Path) -> None:
        self.deletes.append(path)
        self.changes.append(Change("remove", path))

    def carry_out(self) -> None:
        write(self.writes)
        for path in self.deletes:
            delete(path)


@dataclass(frozen=True, slots=True)
class Request:
    """`app new entity`, as it was typed."""

    name: str
    fields: Sequence[str]
    plural: str | None = None
    owner: str | None = None
    public: bool = False
    key: str | None = None
    migrate: bool = True
    force: bool = False


def new_entity(request: Request) -> Plan:
    """Raises SpecError, with all that is wrong with the line."""
    existing = find(request.name)
    spec = _spec(request, is_new=existing is None)
    entity = EntitySource(spec, targets())
    files = render(entity)
    plan = Plan(entity)
    if existing is not None:
        if replace(Manifest.of(spec, files, existing.revisions), files={}) != replace(
            existing, files={}
        ):
            hint = "`app new field` and `app remove field` change it"
            raise SpecError([f"{request.name}: was made from another line; {hint}"])
        plan.create(files, force=request.force)
        if request.force:
            plan.update({existing.path: existing.written(files).text()})
        return plan
    written = dict(files)
    revisions = []
    if request.migrate:
        migration = migrations.make(names.words(spec.plural), spec.plural, files)
        revisions.append(migration.revision)
        written[migration.path] = migration.text
    manifest = Manifest.of(spec, files, revisions)
    plan.create(written | {manifest.path: manifest.text()}, force=request.force)
    plan.update(public.added(entity))
    return plan


def new_field(name: str, texts: Sequence[str], *, migrate: bool = True) -> Plan:
    """Raises SpecError, with all that is wrong with the fields."""
    manifest = _existing(name)
    old = manifest.spec()
    known = {each.text for each in old.fields}
    fresh = [text for text in texts if text not in known]
    fields = parse_fields([*manifest.fields, *fresh], old.name, targets())
    added = fields[len(old.fields) :]
    if problems := [
        f"{each.text}: rows that are there already need null or a default"
        for each in added
        if not (each.nullable or each.has("default"))
    ]:
        raise SpecError(problems)
    if not added:
        plan = Plan(EntitySource(old, targets()))
        plan.changes = [Change("identical", Path(path)) for path in manifest.files]
        return plan
    return _changed(manifest, replace(old, fields=tuple(fields)), added, migrate=migrate)


def remove_field(name: str, field_name: str, *, migrate: bool = True) -> Plan:
    """Raises SpecError."""
    manifest = _existing(name)
    old = manifest.spec()
    gone = [each for each in old.fields if field_name in {each.name, each.column}]
    if not gone:
        hint = names.nearest(field_name, [each.name for each in old.fields])
        raise SpecError([f"{field_name}: {old.name} has no such field; {hint}"])
    if len(old.fields) == 1:
        raise SpecError([f"{field_name}: is the only field; `app remove entity {old.name}`"])
    left = tuple(each for each in old.fields if each not in gone)
    return _changed(manifest, replace(old, fields=left), gone, migrate=migrate, removes=True)


def remove_entity(entity: str, *, migrate: bool = True) -> Plan:
    """Raises SpecError while other entities refer to it."""
    manifest = _existing(entity)
    spec = manifest.spec()
    plan = Plan(EntitySource(spec, targets()))
    referring = [
        f"{other.entity}.{each.column}"
        for other in manifests()
        if other.entity != spec.name
        for each in other.spec().fields
        if each.kind.name == "ref" and each.argument == spec.name
    ]
    if referring:
        raise SpecError([f"{spec.name}: is referred to by {', '.join(referring)}"])
    models = _on_disk(manifest)
    for name in manifest.files:
        if manifest.is_as_written(name):
            plan.remove(Path(name))
        elif (ROOT / name).exists():
            plan.changes.append(Change("keep", Path(name)))
    plan.remove(manifest.path)
    plan.update(public.removed(plan.entity))
    if migrations.can_be_deleted(manifest.revisions):
        for revision in manifest.revisions:
            if path := migrations.path_of(revision):
                plan.remove(path)
    elif migrate:
        message = f"drop {names.words(spec.plural)}"
        migration = migrations.unmake(message, spec.plural, models)
        plan.create({migration.path: migration.text})
    return plan


def _spec(request: Request, *, is_new: bool) -> EntitySpec:
    problems = []
    if wrong := names.wrong_with_entity(request.name):
        problems.append(f"{request.name}: {wrong}")
    plural = request.plural or names.plural(request.name)
    if request.plural and (wrong := names.wrong_with_entity(plural)):
        problems.append(f"--plural {plural}: {wrong}")
    if plural == request.name:
        problems.append(f"{plural}: the plural must differ; give it by --plural")
    if request.owner not in {None, "user"}:
        problems.append(f"--owner {request.owner}: must be user")
    if is_new and not problems:
        problems += _taken(plural)
    if not request.fields:
        problems.append(f"{request.name}: needs a field, such as name:str")
    fields: list[FieldSpec] = []
    try:
        fields = parse_fields(request.fields, request.name, targets())
    except SpecError as error:
        problems += error.problems
    spec = EntitySpec(
        request.name, plural, tuple(fields), request.owner is not None, request.public, request.key
    )
    if fields:
        problems += check_key(spec)
    if problems:
        raise SpecError(problems)
    return spec


def _taken(plural: str) -> list[str]:
    kinds = []
    if any(any((ROOT / folder / plural).glob("*.*")) for folder in ("src/app", "tests")):
        kinds.append("package")
    if plural in load_models().metadata.tables:
        kinds.append("table")
    return [
        f"{plural}: there is a {kind} of that name; give another one by --plural" for kind in kinds
    ]


def _existing(name: str) -> Manifest:
    manifest = find(name)
    if manifest is None:
        known = [each.entity for each in manifests()]
        raise SpecError([f"{name}: the generator has not made it; {names.nearest(name, known)}"])
    return manifest


def _changed(
    manifest: Manifest,
    spec: EntitySpec,
    fields: Sequence[FieldSpec],
    *,
    migrate: bool,
    removes: bool = False,
) -> Plan:
    """The same entity from another line: what its own hands changed in the files stays."""
    plan = Plan(EntitySource(spec, targets()))
    base = render(EntitySource(manifest.spec(), targets()))
    files = render(plan.entity)
    merged: dict[Path, str] = {}
    for path, text in files.items():
        current = (ROOT / path).read_text() if (ROOT / path).exists() else ""
        if manifest.is_as_written(str(path)):
            merged[path] = text
        elif digest(base[path]) == manifest.files.get(str(path)):
            ancestor, mine, theirs = (
                each.splitlines(keepends=True) for each in (base[path], current, text)
            )
            groups = list(Merge3(ancestor, mine, theirs).merge_groups())
            if any(group[0] == "conflict" for group in groups):
                plan.differences.append(difference(path, text))
                plan.changes.append(Change("conflict", path))
                continue
            merged[path] = "".join(line for group in groups for line in group[1])
        else:  # the templates have changed since
            plan.differences.append(difference(path, text))
            plan.changes.append(Change("conflict", path))
    plan.update({path: text for path, text in merged.items() if _differs(path, text)})
    written = replace(
        Manifest.of(spec, files, manifest.revisions),
        files={str(path): digest(text) for path, text in files.items()},
    )
    if migrate:
        columns = [each.column for each in fields]
        defaults = {each.column: _sql_default(each) for each in fields if each.has("default")}
        word = "without" if removes else "with"
        message = f"{names.words(spec.plural)} {word} {', '.join(columns)}"
        models = _on_disk(manifest) if removes else merged
        build = migrations.unmake if removes else migrations.make
        migration = build(message, spec.plural, models, columns, defaults)
        plan.create({migration.path: migration.text})
        written = replace(written, revisions=[*manifest.revisions, migration.revision])
    plan.update({manifest.path: written.text()})
    return plan


def _differs(path: Path, text: str) -> bool:
    return not (ROOT / path).exists() or (ROOT / path).read_text() != text


def _on_disk(manifest: Manifest) -> dict[Path, str]:
    package = manifest.path.parent
    return {path.relative_to(ROOT): path.read_text() for path in (ROOT / package).glob("*.py")}


def _sql_default(each: FieldSpec) -> str:
    return "'" + each.flags["default"].replace("'", "''") + "'"
