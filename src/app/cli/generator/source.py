"""What a field becomes in each file of an entity, as Python source."""

from dataclasses import dataclass
from functools import cached_property

from app.cli.generator import names, samples
from app.cli.generator.kinds import MAX_ELEMENTS, MAX_TEXT
from app.cli.generator.spec import EntitySpec, FieldSpec

# What a module of schemas imports: a field's own type is not called the same.
IMPORTED = {
    "BigInteger", "Day", "Decimal", "Digits", "Document", "Email", "Field", "Id", "Integer", "Json",
    "ReadSchema", "Real", "Schema", "Text", "TimeOfDay", "Timestamp", "Url",
}  # fmt: skip
FILTER_TYPES = {"Decimal": "Number", "Email": "Text", "Url": "Text"}


@dataclass(frozen=True)
class Enum:
    name: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Source:
    """The parts of one field. `entity` is the name of the entity's model."""

    spec: FieldSpec
    entity: str
    table: str = ""  # that a reference is to

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
        """The call that makes the column, if the annotation does not say it all."""
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
        """The condition that the table itself keeps, if there is one."""
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
        """The name of the field's own type in the schemas, if it has bounds."""
        name = names.camel(self.spec.name)
        return f"{self.entity}{name}" if name in IMPORTED or name == self.entity else name

    @property
    def alias_source(self) -> str:
        """Its definition; empty for a type that needs none."""
        kind = self.spec.of or self.spec.kind
        base = kind.schema
        if kind.name == "decimal":
            precision, scale = self.spec.argument.split(".")
            bounds = "" if self.spec.of else self._bounds
            base = f"Annotated[Decimal, {bounds}Digits({precision}, {scale})]"
        elif kind.name in {"str", "text"}:
            base = f"Annotated[Text, Field({self._length})]"
        elif not self.spec.of and self._bounds:
            base = f"Annotated[{base}, {self._bounds.rstrip(', ')}]"
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
    def _bounds(self) -> str:
        literal = self.spec.kind.literal
        if self.spec.kind.sized != "value" or literal is None:
            return ""
        low, high = self.spec.flags.get("min"), self.spec.flags.get("max")
        plain = self.spec.kind.name == "decimal"  # compares with integers and strings as well
        parts = [
            f"{word}={bound if plain and bound.lstrip('-').isdigit() else literal(bound)}"
            for word, bound in (("ge", low), ("le", high))
            if bound is not None
        ]
        return f"Field({', '.join(parts)}), " if parts else ""

    @property
    def type(self) -> str:
        """The type of the request's field."""
        if self.enum:
            return self.enum.name
        return self.alias if self.alias_source else self.spec.kind.schema

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
    def sample(self) -> str:
        """A value as JSON in Python, with `n` in it where it must be unique."""
        return samples.sample(self.spec)

    @property
    def other(self) -> str:
        return samples.sample(self.spec, other=True)

    @property
    def shown(self) -> str:
        """The same in the documentation."""
        return repr(samples.example(self.spec, other=True))

    @property
    def filter_cases(self) -> list[tuple[str, str, bool]]:
        """Each parameter, the field whose value it gets, and whether that finds the row."""
        parameters = [each.partition(":")[0] for each in self.filters]
        return [
            (each, self.name, not each.endswith(("__gt", "__lt", "__isnull")))
            for each in parameters
        ]

    @property
    def sorts(self) -> bool:
        return self.spec.kind.sortable and not self.spec.has("nosort") and self.answered

    def _or_none(self, source: str) -> str:
        return f"{source} | None" if self.spec.nullable else source


ELEMENT_COLUMNS = {
    "bool": "Boolean", "date": "Date", "datetime": "DateTime(timezone=True)", "int": "Integer",
    "time": "Time", "uuid": "Uuid",
}  # fmt: skip


@dataclass(frozen=True)
class Parent:
    """An entity that a field refers to. `nested`: the last part of the list below its own path."""

    name: str
    plural: str
    column: str
    rule: str
    nested: str
    listed: bool

    @property
    def model(self) -> str:
        return names.camel(self.name)

    @property
    def path(self) -> str:
        return self.plural.replace("_", "-")


@dataclass(frozen=True)
class EntitySource:
    """Everything that the templates of an entity use."""

    spec: EntitySpec
    targets: dict[str, str]  # the plurals of the entities that it may refer to

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def words(self) -> str:
        return names.words(self.spec.name)

    @property
    def model(self) -> str:
        return names.camel(self.spec.name)

    @property
    def plural(self) -> str:
        return self.spec.plural

    @property
    def noun(self) -> str:
        """The service as a dependency: `Invoices`."""
        return names.camel(self.spec.plural)

    @property
    def path(self) -> str:
        return self.spec.plural.replace("_", "-")

    @cached_property
    def fields(self) -> list[Source]:
        tables = self.targets | {self.name: self.plural}
        return [
            Source(each, self.model, tables.get(each.argument, "")) for each in self.spec.fields
        ]

    @property
    def refs(self) -> list[Source]:
        return [each for each in self.fields if each.is_ref]

    @property
    def counted(self) -> bool:
        """Whether a test's values have to be numbered to be unique."""
        unique = [each for each in self.fields if each.spec.has("unique")]
        return any(each.spec.kind.name not in {"uuid", "ref"} for each in unique)

    @property
    def reads(self) -> str:
        """The service that reads: anyone's rows, where they are public."""
        return f"Public{self.noun}" if self.spec.public and self.has_caller else self.noun

    @property
    def has_caller(self) -> bool:
        """Whether it matters who writes: to own a row, or to refer to rows of his own."""
        return self.spec.owned or bool(self.parents)

    @cached_property
    def parents(self) -> list[Parent]:
        """Those with lists of their own below them; users have none."""
        found: list[Parent] = []
        for each in self.refs:
            name = each.spec.argument
            if name == "user":
                continue
            again = any(other.name == name for other in found) or name == self.name
            nested = f"{each.spec.name.replace('_', '-')}-{self.path}" if again else self.path
            plural = self.targets.get(name, names.plural(name))
            rule = each.spec.flags.get("ondelete", "restrict")
            found.append(Parent(name, plural, each.name, rule, nested, bool(each.filters)))
        return found

    @property
    def changeable(self) -> Source | None:
        """A field that a test may change."""
        return next((each for each in self.fields if each.taken and not each.is_ref), None)

    @property
    def filter_cases(self) -> list[tuple[str, str, bool]]:
        own = [case for each in self.fields for case in self._filter_cases(each)]
        times = ("created_at", "updated_at")
        return own + [
            (f"{name}__{word}", name, word == "gte") for name in times for word in ("gte", "lt")
        ]

    def _filter_cases(self, field: Source) -> list[tuple[str, str, bool]]:
        if not field.taken:
            return []
        if field.spec.argument == self.name:  # none refers to another one
            return [(each, name, True) for each, name, _ in field.filter_cases if "isnull" in each]
        return field.filter_cases

    @property
    def key(self) -> Source | None:
        key = self.spec.natural_key
        return next((each for each in self.fields if each.spec is key), None)

    @property
    def enums(self) -> list[Enum]:
        return [each.enum for each in self.fields if each.enum]

    @property
    def orders(self) -> list[str]:
        return [each.name for each in self.fields if each.sorts] + ["created_at", "updated_at"]

    @property
    def searched(self) -> list[str]:
        return [each.name for each in self.fields if each.spec.has("search")]

    @property
    def indexes(self) -> list[str]:
        """Arguments of `listed_by`: the default order first, then what lists are narrowed by."""
        owner = ["owner_id"] if self.spec.owned else []
        found = [[*owner, "created_at", "id"]]
        for each in self.fields:
            if each.is_ref:
                found.append([each.name, "created_at", "id"])
            elif each.spec.has("index"):
                chosen = not each.sorts or each.enum or each.spec.kind.name == "bool"
                found.append([*owner, each.name, *(["created_at"] if chosen else []), "id"])
        return [", ".join(f'"{name}"' for name in columns) for columns in found]

    @property
    def uniques(self) -> list[str]:
        owner = ['"owner_id", '] if self.spec.owned else [""]
        return [f'{owner[0]}"{each.name}"' for each in self.fields if each.spec.has("unique")]

    @property
    def routes(self) -> list[str]:
        base = f"/api/v1/{self.path}"
        one = f"{base}/{{{self.name}_id}}"
        upsert = [f"PUT {base}/bulk"] if self.key else []
        nested = [
            f"GET /api/v1/{each.path}/{{{each.name}_id}}/{each.nested}"
            for each in self.parents
            if each.listed
        ]
        return [
            f"GET {base}",
            f"POST {base}",
            f"GET {one}",
            f"PATCH {one}",
            f"DELETE {one}",
            f"POST {one}/restore",
            f"POST {base}/bulk",
            *upsert,
            f"POST {base}/bulk/delete",
            *nested,
        ]

    @property
    def example(self) -> dict[str, object]:
        """A body that creates one, but for the ids of what it refers to."""
        sought = [each for each in self.fields if each.taken and not each.spec.nullable]
        return {each.name: samples.example(each.spec) for each in sought}

    @property
    def example_query(self) -> str:
        """A filter and an order."""
        filters = [
            f"{each.name}={samples.example(each.spec)}"
            for each in self.fields
            if each.taken and each.filters and each.spec.kind.name in {"enum", "int", "str", "bool"}
        ]
        return "&".join([*filters[:1], f"order_by=-{self.orders[0]}"])
