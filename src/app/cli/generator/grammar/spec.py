"""An entity and its fields, as lines such as `number:str:32:unique` describe them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.cli.generator.grammar.kinds import Kind


class SpecError(Exception):
    """The command is wrong, and nothing was written; `problems` lists everything at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field as it was typed. `of` is the type of an array's elements."""

    text: str
    name: str
    kind: Kind
    argument: str = ""
    of: Kind | None = None
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def column(self) -> str:
        return f"{self.name}_id" if self.kind.name == "ref" else self.name

    @property
    def nullable(self) -> bool:
        return "null" in self.flags

    def has(self, flag: str) -> bool:
        return flag in self.flags


@dataclass(frozen=True, slots=True)
class EntitySpec:
    name: str
    plural: str
    fields: tuple[FieldSpec, ...]
    owned: bool = False
    public: bool = False
    key: str | None = None

    @property
    def natural_key(self) -> FieldSpec | None:
        unique = [each for each in self.fields if each.has("unique")]
        chosen = [each for each in unique if self.key in {each.name, each.column}]
        return next(iter(chosen or unique), None)
