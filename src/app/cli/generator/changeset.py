"""What a command is about to change: all of it is known before anything is written."""

from dataclasses import dataclass, field
from pathlib import Path

from app.cli.generator.files.disk import Files, carry_out, difference, on_disk
from app.cli.generator.rendering.entity_source import EntitySource
from app.cli.generator.revisions.withdrawal import Withdrawal


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the output. The verbs: create, update, identical, conflict, remove and keep."""

    verb: str
    path: Path

    def __str__(self) -> str:
        return f"{self.verb:>10}  {self.path}"


@dataclass(slots=True)
class Changeset:
    """Which files will be written and which deleted, and what the output says about each."""

    entity: EntitySource
    was: EntitySource | None = None  # before its fields changed
    way_out: str = "--force overwrites them"  # what to do about conflicts
    changes: list[Change] = field(default_factory=list)
    writes: dict[Path, str] = field(default_factory=dict)
    deletes: list[Path] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def create(self, files: Files, *, force: bool = False) -> None:
        """Files that are new; a different one in their place is a conflict."""
        for path, text in sorted(files.items()):
            current = on_disk(path)
            if current is None or (force and current != text):
                self._write("create" if current is None else "update", path, text)
            elif current == text:
                self.changes.append(Change("identical", path))
            else:
                self.conflict(path, text)

    def update(self, files: Files) -> None:
        """Files that are written whether they are there or not."""
        for path, text in sorted(files.items()):
            current = on_disk(path)
            if current != text:
                self._write("create" if current is None else "update", path, text)

    def conflict(self, path: Path, text: str) -> None:
        self.differences.append(difference(path, text))
        self.changes.append(Change("conflict", path))

    def remove(self, path: Path) -> None:
        self.deletes.append(path)
        self.changes.append(Change("remove", path))

    def withdraw(self, withdrawn: Withdrawal) -> None:
        self.update(withdrawn.changed)
        for path in withdrawn.deleted:
            self.remove(path)

    def keep(self, path: Path) -> None:
        self.changes.append(Change("keep", path))

    @property
    def routes(self) -> list[str]:
        """The routes that are new."""
        before = self.was.routes if self.was else []
        return [each for each in self.entity.routes if each not in before]

    @property
    def kept(self) -> list[Path]:
        return [each.path for each in self.changes if each.verb == "keep"]

    def carry_out(self) -> None:
        carry_out(self.writes, self.deletes)

    def _write(self, verb: str, path: Path, text: str) -> None:
        self.writes[path] = text
        self.changes.append(Change(verb, path))
