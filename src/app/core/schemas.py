"""The base classes of bodies and answers."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, JsonValue
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Schema(BaseModel):
    """The base of request bodies: unknown fields and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


FROM_SETTINGS = "x-from-settings"


def from_settings(**keywords: str) -> dict[str, JsonValue]:
    """A field's `json_schema_extra`: keywords such as minLength, and the settings they show.

    What holds for a request is checked where the settings are known.
    """
    return {FROM_SETTINGS: {**keywords}}


def documented(**keywords: JsonValue) -> Any:
    """A field's bounds, which are shown and not checked: what is answered was made here."""
    return Field(json_schema_extra={**keywords})


NO_DEFAULT = "x-no-default"
"""In a parameter's `json_schema_extra`, where a form that sends the default would do harm."""


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


UNSET: Any = Field(default=None, json_schema_extra=_without_default)
"""The default of an update's fields: absent, which differs from null."""


def example(fields: dict[str, JsonValue]) -> ConfigDict:
    """The configuration of a schema that shows these values in the documentation."""
    return ConfigDict(json_schema_extra={"example": fields})


def field_names(data: BaseModel) -> list[str]:
    return list(type(data).model_fields)


LOCAL_TIME = {
    "type": "string",
    "format": "time-local",  # `time` is RFC 3339's, which has an offset
    "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$",
}


class ReadSchema(BaseModel):
    """The base of answers, filled from a model's attributes.

    A schema is built when its class is made, so that what is wrong with it is told then. To FastAPI
    it says `defer_build`: of what each route would build again, only what is used is built.
    """

    model_config = ConfigDict(from_attributes=True, defer_build=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.model_rebuild(raise_errors=False)  # an annotation may name a class that comes later

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        _say_that_times_are_local(handler.resolve_ref_schema(schema).get("properties", {}))
        return schema


def _say_that_times_are_local(node: Any) -> None:
    if isinstance(node, dict):
        if node.get("type") == "string" and node.get("format") == "time":
            node |= LOCAL_TIME
        for each in node.values():
            _say_that_times_are_local(each)
    elif isinstance(node, list):
        for each in node:
            _say_that_times_are_local(each)
