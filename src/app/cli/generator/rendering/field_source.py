"""What a field becomes in each file of its entity, as Python source."""

from dataclasses import dataclass
from functools import cached_property

from app.cli.generator.grammar import names
from app.cli.generator.grammar.kinds import MAX_ELEMENTS, MAX_TEXT
from app.cli.generator.grammar.spec import FieldSpec
from app.cli.generator.rendering.samples import Sample, sample
from app.cli.generator.rendering.templates import imported

ELEMENT_COLUMNS = {
    "bool": "Boolean", "date": "Date", "datetime": "DateTime(timezone=True)", "int": "Integer",
    "time": "Time", "uuid": "Uuid",
}  # fmt: skip
FILTER_TYPES = {"Decimal": "Number", "Email": "AddressText", "Url": "Text"}


@dataclass(frozen=True)
class Enum:
    name: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FieldSource:
    """The parts of one field. `entity` is the name of the entity's model."""

    spec: FieldSpec
    entity: str
    table: str = ""  # that a ref refers to

    @property
    def name(self) -> str:
        return self.spec.column

    @property
    def is_ref(self) -> bool:
        return self.spec.kind.name == "ref"

    @cached_property
    def enum(self) -> Enum | None:
        if self.spec.kind.name != "enum":
            return None
        values = self.spec.argument.split("/")
        members = tuple((names.constant(value), value) for value in values)
        return Enum(f"{self.entity}{names.camel(self.spec.name)}", members)

    @property
    def python(self) -> str:
        """The type of the model's attribute, and of the answer's field."""
        if self.enum:
            return self.enum.name
        of = self.spec.of
        return f"list[{of.python}]" if of else self.spec.kind.python

    @property
    def column(self) -> str:
        """The call that makes the column; empty if the annotation is enough."""
        if self.is_ref:
            rule = self.spec.flags.get("ondelete", "restrict")
            return f'reference("{self.table}", ondelete="{rule}")'
        arguments = [self._column_type] if self._column_type else []
        if self.spec.has("readonly") and self.spec.has("default"):
            arguments.append(f"default={self.default}")
        return f"mapped_column({', '.join(arguments)})" if arguments else ""

    @property
    def _column_type(self) -> str:
        kind = self.spec.of or self.spec.kind
        column = kind.column.format(self.spec.argument.replace(".", ", "))
        if not self.spec.of:
            return column
        return f"ARRAY({column or ELEMENT_COLUMNS[kind.name]})"

    @property
    def mapped(self) -> str:
        annotation = f"Mapped[{self._or_none(self.python)}]"
        return f"{annotation} = {self.column}" if self.column else annotation

    @property
    def check(self) -> str:
        """The condition of the table's CHECK constraint; empty if there is none."""
        measured = {"value": "{}", "length": "char_length({})", "count": "cardinality({})"}
        low, high = self.spec.flags.get("min"), self.spec.flags.get("max")
        subject = measured.get(self.spec.kind.sized, "").format(self.name)
        quote = "'" if self.spec.kind.name in {"date", "datetime", "time"} else ""
        bounds = [
            f"{subject} {sign} {quote}{bound}{quote}"
            for sign, bound in ((">=", low), ("<=", high))
            if bound is not None
        ]
        return " AND ".join(bounds)

    @cached_property
    def alias(self) -> str:
        """The name of the field's own type in the schemas, which it has if it has bounds."""
        name = names.camel(self.spec.name)
        # Enums and schemas start with the entity's name.
        taken = name in imported("entity/schemas.py.jinja") or name.startswith(self.entity)
        taken = taken or len(name) == 1  # I and O look like digits
        return f"{self.entity}{name}" if taken else name

    @property
    def alias_source(self) -> str:
        """The definition of that type; empty if it needs none."""
        kind = self.spec.of or self.spec.kind
        base = kind.schema
        if kind.name == "decimal":
            precision, scale = self.spec.argument.split(".")
            digits = ", ".join([precision, scale, *self._bounds])
            base = f"Annotated[Decimal, Digits({digits})]"
        elif kind.name in {"str", "text"}:
            base = f"Annotated[Text, Field({self._length})]"
        elif self._bounds:
            base = f"Annotated[{base}, Field({', '.join(self._bounds)})]"
        if self.spec.of:
            low, high = self.spec.flags.get("min"), self.spec.flags.get("max", MAX_ELEMENTS)
            least = f"min_length={low}, " if low else ""
            return f"Annotated[list[{base}], Field({least}max_length={high})]"
        return base if base.startswith("Annotated") else ""

    @property
    def _length(self) -> str:
        flags = {} if self.spec.of else self.spec.flags
        if (self.spec.of or self.spec.kind).name == "text":
            least = f"min_length={flags['min']}, " if "min" in flags else ""
            return f"{least}max_length={flags.get('max', MAX_TEXT)}"
        longest = min(int(flags.get("max", MAX_TEXT)), int(self.spec.argument))
        return f"min_length={flags.get('min', 1)}, max_length={longest}"

    @property
    def _bounds(self) -> list[str]:
        literal = self.spec.kind.literal
        if self.spec.of or self.spec.kind.sized != "value" or literal is None:
            return []
        low, high = self.spec.flags.get("min"), self.spec.flags.get("max")
        plain = self.spec.kind.name == "decimal"  # can be compared with an integer
        return [
            f"{word}={bound if plain and bound.lstrip('-').isdigit() else literal(bound)}"
            for word, bound in (("ge", low), ("le", high))
            if bound is not None
        ]

    @property
    def own_type(self) -> str | None:
        """The name of a type that is made for the field alone."""
        if self.enum:
            return self.enum.name
        return self.alias if self.alias_source else None

    @property
    def type(self) -> str:
        """The type of the request's field."""
        return self.own_type or self.spec.kind.schema

    @property
    def default(self) -> str:
        text = self.spec.flags["default"]
        if self.enum:
            return f"{self.enum.name}.{names.constant(text)}"
        assert self.spec.kind.literal is not None
        return self.spec.kind.literal(text) or ""

    @property
    def create(self) -> str:
        if self.spec.has("default"):
            return f"{self._or_none(self.type)} = {self.default}"
        return f"{self.type} | None = None" if self.spec.nullable else self.type

    @property
    def update(self) -> str:
        return f"{self._or_none(self.type)} = UNSET"

    @property
    def read(self) -> str:
        return self._or_none(self.python)

    @property
    def taken(self) -> bool:
        return not self.spec.has("readonly")

    @property
    def answered(self) -> bool:
        return not self.spec.has("hidden")

    @property
    def filters(self) -> list[str]:
        """The parameters of a list, each with its type."""
        if self.spec.has("nofilter") or not self.answered:
            return []
        declared = self.enum.name if self.enum else self.spec.kind.schema
        kind = FILTER_TYPES.get(declared, declared)
        found = [
            f"{self.name}__{operator}: Values[{kind}] = None"
            if operator == "in"
            else f"{self.name}{'__' if operator else ''}{operator}: {kind} | None = None"
            for operator in self.spec.kind.operators
        ]
        isnull = [f"{self.name}__isnull: bool | None = None"] if self.spec.nullable else []
        return found + isnull

    @property
    def sample(self) -> Sample:
        return sample(self.spec)

    @property
    def other(self) -> Sample:
        """Another value, to change the field to."""
        return sample(self.spec, other=True)

    @property
    def sorts(self) -> bool:
        return self.spec.kind.sortable and not self.spec.has("nosort") and self.answered

    def _or_none(self, source: str) -> str:
        return f"{source} | None" if self.spec.nullable else source
