"""The base classes of bodies and answers."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Schema(BaseModel):
    """The base of request bodies: unknown fields and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


UNSET: Any = Field(default=None, json_schema_extra=_without_default)
"""The default of an update's fields: absent, which differs from null."""


def example(fields: dict[str, JsonValue]) -> ConfigDict:
    """The configuration of a schema that shows these values in the documentation."""
    return ConfigDict(json_schema_extra={"example": fields})


def field_names(data: BaseModel) -> list[str]:
    return list(type(data).model_fields)


class ReadSchema(BaseModel):
    """The base of answers, filled from a model's attributes."""

    model_config = ConfigDict(from_attributes=True)
