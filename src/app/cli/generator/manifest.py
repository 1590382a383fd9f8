"""What the generator knows of an entity that it wrote: the line, the files, the migrations."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from app.cli.generator.files import Files, digest
from app.cli.generator.spec import EntitySpec, parse_fields
from app.migrations import ROOT

NAME = "entity.json"
PACKAGE = ROOT / "src/app"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files` has the hash of each file as it was written; `revisions` those of the migrations."""

    entity: str
    plural: str
    fields: list[str]
    owner: bool
    public: bool
    key: str | None
    revisions: list[str]
    files: dict[str, str]

    @classmethod
    def of(cls, spec: EntitySpec, files: Files, revisions: list[str]) -> Self:
        return cls(
            entity=spec.name,
            plural=spec.plural,
            fields=[each.text for each in spec.fields],
            owner=spec.owned,
            public=spec.public,
            key=spec.key,
            revisions=revisions,
            files={str(path): digest(text) for path, text in sorted(files.items())},
        )

    @property
    def path(self) -> Path:
        return Path("src/app") / self.plural / NAME

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    def spec(self) -> EntitySpec:
        fields = parse_fields(self.fields, self.entity, targets())
        return EntitySpec(
            self.entity, self.plural, tuple(fields), self.owner, self.public, self.key
        )

    def is_as_written(self, path: str) -> bool:
        found = ROOT / path
        return found.exists() and digest(found.read_text()) == self.files.get(path)

    def written(self, files: Files) -> Self:
        """With the hashes of these files."""
        hashes = {str(path): digest(text) for path, text in sorted(files.items())}
        return replace(self, files=self.files | hashes)


def manifests() -> list[Manifest]:
    found = sorted(PACKAGE.glob(f"*/{NAME}"))
    return [Manifest(**json.loads(path.read_text())) for path in found]


def targets() -> dict[str, str]:
    """The plurals of the entities that a reference may be to, by their names."""
    return {each.entity: each.plural for each in manifests()} | {"user": "users"}


def find(entity: str) -> Manifest | None:
    return next((each for each in manifests() if entity in {each.entity, each.plural}), None)
