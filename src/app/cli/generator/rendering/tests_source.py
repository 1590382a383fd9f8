"""What the generated tests of an entity need, beside what its own files do."""

from dataclasses import dataclass

from app.cli.generator.rendering.entity_source import EntitySource, Parent
from app.cli.generator.rendering.field_source import FieldSource


@dataclass(frozen=True)
class TestsSource:
    entity: EntitySource

    @property
    def counted(self) -> bool:
        """Whether values have to be numbered to be unique."""
        unique = [each for each in self.entity.fields if each.spec.has("unique")]
        return any(each.spec.kind.name not in {"uuid", "ref"} for each in unique)

    @property
    def taken_refs(self) -> list[FieldSource]:
        """The references that a test may set, but for those to the entity itself."""
        refs = [each for each in self.entity.fields if each.is_ref and each.taken]
        return [each for each in refs if each.spec.argument != self.entity.name]

    @property
    def made_parents(self) -> list[Parent]:
        """Those that a test has to create first."""
        found = self.entity.parents
        return [each for each in found if each.taken and each.name != self.entity.name]

    @property
    def hidden(self) -> list[str]:
        return [each.name for each in self.entity.fields if not each.answered]
