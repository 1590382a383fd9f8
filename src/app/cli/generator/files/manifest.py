"""What the generator remembers of an entity that it wrote: the line and the files."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from app.cli.generator.files.disk import Files, digest, on_disk
from app.cli.generator.grammar import names
from app.cli.generator.grammar.parsing import parse_fields
from app.cli.generator.grammar.spec import EntitySpec, SpecError
from app.database.migrations import ROOT

NAME = "entity.json"
PACKAGE = ROOT / "src/app"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files` has the hash of each file as it was written."""

    entity: str
    plural: str
    fields: list[str]
    owner: bool
    public: bool
    key: str | None
    files: dict[str, str]

    @classmethod
    def of(cls, spec: EntitySpec, files: Files) -> Self:
        return cls(
            entity=spec.name,
            plural=spec.plural,
            fields=[each.text for each in spec.fields],
            owner=spec.owned,
            public=spec.public,
            key=spec.key,
            files={str(path): digest(text) for path, text in sorted(files.items())},
        )

    @property
    def path(self) -> Path:
        return Path("src/app") / self.plural / NAME

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    def spec(self) -> EntitySpec:
        fields, _ = parse_fields(self.fields, self.entity, targets())
        return EntitySpec(
            self.entity, self.plural, tuple(fields), self.owner, self.public, self.key
        )

    @property
    def line(self) -> str:
        """The command that writes the same entity."""
        options = [
            *(["--plural", self.plural] if self.plural != names.plural(self.entity) else []),
            *(["--owner", "user"] if self.owner else []),
            *(["--public"] if self.public else []),
            *(["--key", self.key] if self.key else []),
        ]
        return " ".join(["app new entity", self.entity, *self.fields, *options])

    def package(self) -> dict[Path, str]:
        """The entity's modules as they are now, edits included."""
        found = sorted((ROOT / self.path.parent).glob("*.py"))
        return {path.relative_to(ROOT): path.read_text() for path in found}

    def beside(self) -> list[Path]:
        """Modules in its folders that the generator has not written."""
        folders = [ROOT / "src/app" / self.plural, ROOT / "tests" / self.plural]
        found = sorted(path.relative_to(ROOT) for each in folders for path in each.rglob("*.py"))
        return [path for path in found if str(path) not in self.files]

    def is_as_written(self, path: Path) -> bool:
        text = on_disk(path)
        return text is not None and digest(text) == self.files.get(str(path))


def manifests() -> list[Manifest]:
    found = sorted(PACKAGE.glob(f"*/{NAME}"))
    return [Manifest(**json.loads(path.read_text())) for path in found]


def targets() -> dict[str, str]:
    """The plurals of the entities that a field may refer to, by their names."""
    return {each.entity: each.plural for each in manifests()} | {"user": "users"}


def find(entity: str) -> Manifest | None:
    return next((each for each in manifests() if entity in {each.entity, each.plural}), None)


def existing(name: str) -> Manifest:
    """Raises SpecError for an entity that the generator did not write."""
    manifest = find(name)
    if manifest is None:
        hint = names.suggest(name, [each.entity for each in manifests()])
        raise SpecError([f"{name}: is not an entity that the generator wrote; {hint}"])
    return manifest
