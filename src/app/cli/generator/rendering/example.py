"""The requests that document an entity: a body that creates a row, one that changes it, a query."""

from dataclasses import dataclass
from urllib.parse import urlencode

from app.cli.generator.rendering.entity_source import EntitySource
from app.cli.generator.rendering.field_source import FieldSource
from app.cli.generator.rendering.samples import literal

QUERIED = {"enum", "int", "str", "bool"}


@dataclass(frozen=True)
class Example:
    entity: EntitySource

    @property
    def body(self) -> dict[str, object]:
        """It creates a row, once the ids are those of rows that exist."""
        fields = self.entity.fields
        sought = [each for each in fields if each.taken and not each.spec.nullable]
        return {each.name: each.sample.value for each in sought}

    @property
    def source(self) -> str:
        return _dict(self.body)

    @property
    def required_refs(self) -> list[FieldSource]:
        """The references without which no row is created."""
        return [each for each in self.entity.fields if each.is_ref and each.name in self.body]

    @property
    def changed(self) -> FieldSource | None:
        """The field that the second body changes: the first with more than one possible value."""
        fields = [each for each in self.entity.fields if each.taken and not each.is_ref]
        return next((each for each in fields if each.sample.value != each.other.value), None)

    @property
    def change_source(self) -> str:
        assert self.changed is not None
        return _dict({self.changed.name: self.changed.other.value})

    @property
    def query(self) -> str:
        """A filter and an order."""
        filtered = [
            (each.name, each.sample.value)
            for each in self.entity.fields
            if each.taken and each.filters and each.spec.kind.name in QUERIED
        ]
        return urlencode([*filtered[:1], ("order_by", f"-{self.entity.orders[0]}")])


def _dict(values: dict[str, object]) -> str:
    return f"{{{', '.join(f'"{name}": {literal(value)}' for name, value in values.items())}}}"
