"""What an entity becomes in each of its files, as Python source."""

from dataclasses import dataclass
from functools import cached_property

from app.cli.generator.grammar import names
from app.cli.generator.grammar.spec import EntitySpec
from app.cli.generator.rendering.field_source import Enum, FieldSource


@dataclass(frozen=True)
class Parent:
    """An entity that a field refers to. `nested` ends the path of the list below it."""

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
    targets: dict[str, str]  # the plurals of the entities that a field may refer to

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def words(self) -> str:
        return names.words(self.spec.name)

    @property
    def told(self) -> str:
        """What the documentation says of all of them, short enough for one line of code."""
        if self.spec.public:
            who = "their owners" if self.spec.owned else "every user may"
            return f"Anyone may read them, {who} change them."
        if self.spec.owned:
            return "Each belongs to the user who created it."
        return "Every user may read and change them."

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
        """The tables that a field may refer to, by the names of their entities: this one too."""
        return self.targets | {self.name: self.plural}

    @cached_property
    def fields(self) -> list[FieldSource]:
        return [
            FieldSource(each, self.model, self.tables.get(each.argument, ""))
            for each in self.spec.fields
        ]

    @property
    def reads(self) -> str:
        """The service that reads: a public entity has one for everybody's rows."""
        return f"Public{self.noun}" if self.spec.public else self.noun

    @property
    def has_caller(self) -> bool:
        """Whether it matters who writes: they own the row, or may only refer to their own rows."""
        return self.spec.owned or bool(self.parents)

    @cached_property
    def parents(self) -> list[Parent]:
        """The entities with a list of these rows below their own path; users have none."""
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
        """Arguments of `listed_by`: the default order first, then those of indexed fields."""
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
