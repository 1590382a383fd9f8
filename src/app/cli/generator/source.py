"""What an entity becomes in each of its files, as Python source."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from app.cli.generator import names
from app.cli.generator.field_source import Enum, FieldSource
from app.cli.generator.samples import literal
from app.cli.generator.spec import EntitySpec
from app.cli.generator.templates import imported

MAX_IDENTIFIER = 63  # bytes


@dataclass(frozen=True)
class Parent:
    """An entity that a field refers to. `nested`: the last part of the list below its own path."""

    name: str
    plural: str
    column: str
    rule: str
    nested: str
    listed: bool
    taken: bool
    answered: bool

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

    @property
    def tables(self) -> dict[str, str]:
        """Those that the fields may refer to, this one's too."""
        return self.targets | {self.name: self.plural}

    @cached_property
    def fields(self) -> list[FieldSource]:
        return [
            FieldSource(each, self.model, self.tables.get(each.argument, ""))
            for each in self.spec.fields
        ]

    @property
    def taken_refs(self) -> list[FieldSource]:
        """Those that a test may set, but for one to another of the same."""
        refs = [each for each in self.fields if each.is_ref and each.taken]
        return [each for each in refs if each.spec.argument != self.name]

    @property
    def required_refs(self) -> list[FieldSource]:
        """Those without which none is created."""
        return [each for each in self.fields if each.is_ref and each.name in self.example]

    @property
    def counted(self) -> bool:
        """Whether a test's values have to be numbered to be unique."""
        unique = [each for each in self.fields if each.spec.has("unique")]
        return any(each.spec.kind.name not in {"uuid", "ref"} for each in unique)

    @property
    def reads(self) -> str:
        """The service that reads: anyone's rows, where they are public."""
        return f"Public{self.noun}" if self.spec.public else self.noun

    @property
    def has_caller(self) -> bool:
        """Whether it matters who writes: to own a row, or to refer to rows of his own."""
        return self.spec.owned or bool(self.parents)

    @cached_property
    def parents(self) -> list[Parent]:
        """Those with lists of their own below them; users have none."""
        found: list[Parent] = []
        for each in self.fields:
            name = each.spec.argument
            if not each.is_ref or name == "user":
                continue
            again = any(other.name == name for other in found) or name == self.name
            nested = f"{each.spec.name.replace('_', '-')}-{self.path}" if again else self.path
            plural = self.tables[name]
            rule = each.spec.flags.get("ondelete", "restrict")
            found.append(
                Parent(
                    name,
                    plural,
                    each.name,
                    rule,
                    nested,
                    bool(each.filters),
                    each.taken,
                    each.answered,
                )
            )
        return found

    @property
    def listed_parents(self) -> list[Parent]:
        return [each for each in self.parents if each.listed]

    @property
    def made_parents(self) -> list[Parent]:
        """Those that a test has to make first."""
        return [each for each in self.parents if each.taken and each.name != self.name]

    @property
    def changeable(self) -> FieldSource | None:
        """A field that a test may change."""
        fields = [each for each in self.fields if each.taken and not each.is_ref]
        return next((each for each in fields if each.sample.value != each.other.value), None)

    @property
    def hidden(self) -> list[str]:
        return [each.name for each in self.fields if not each.answered]

    @property
    def key(self) -> FieldSource | None:
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
            for each in self.listed_parents
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
        return {each.name: each.sample.value for each in sought}

    @property
    def example_source(self) -> str:
        return _dict(self.example)

    @property
    def example_change(self) -> str:
        """The source of a body that changes one."""
        assert self.changeable is not None
        return _dict({self.changeable.name: self.changeable.other.value})

    @property
    def example_query(self) -> str:
        """A filter and an order."""
        simple = {"enum", "int", "str", "bool"}
        filtered = [
            (each.name, each.sample.value)
            for each in self.fields
            if each.taken and each.filters and each.spec.kind.name in simple
        ]
        return urlencode([*filtered[:1], ("order_by", f"-{self.orders[0]}")])

    @property
    def wrong_names(self) -> list[str]:
        """What is wrong with the names that come of the fields' together, and the entity's."""
        return [*self._repeated_types(), *self._too_long_names()]

    def _repeated_types(self) -> Iterator[str]:
        """Fields whose types would be called like other ones."""
        taken: dict[str, str] = {}
        for each in self.fields:
            if each.own_type is None:
                continue
            files = ("models", "schemas", "filters") if each.enum else ("schemas",)
            other = taken.setdefault(each.own_type, each.name)
            if other != each.name:
                yield f"{each.name}: its type {each.own_type} would be called like that of {other}"
            if any(each.own_type in imported(f"entity/{file}.py.jinja") for file in files):
                yield f"{each.name}: its type would be called {each.own_type}, as an import is"

    def _too_long_names(self) -> list[str]:
        """What is wrong with constraints and indexes that PostgreSQL would not call so."""
        indexes = [f"ix_{self.plural}_{_joined(columns)}" for columns in self.indexes]
        uniques = [f"uq_{self.plural}_{_joined(columns)}" for columns in self.uniques]
        keys = [f"fk_{self.plural}_{each.name}" for each in self.fields]
        return [
            f"{name}: is {len(name)} characters long, and PostgreSQL takes {MAX_IDENTIFIER}; "
            "shorter names of the entity or the field would do"
            for name in [*indexes, f"{indexes[0]}_deleted", *uniques, *keys]
            if len(name) > MAX_IDENTIFIER
        ]


def _dict(values: dict[str, object]) -> str:
    return f"{{{', '.join(f'"{name}": {literal(value)}' for name, value in values.items())}}}"


def _joined(columns: str) -> str:
    return columns.replace('"', "").replace(", ", "_")
