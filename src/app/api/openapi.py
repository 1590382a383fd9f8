"""The OpenAPI document: FastAPI's, of routes that say all that they answer, under their own names.

Markers in schemas are read here: what a parameter needs, and limits that are settings.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.answers import Answers, header_components
from app.api.operation_ids import Place, callbacks_with_ids, operation_ids, places
from app.config import Settings
from app.core.registry import load_models
from app.core.schemas import FROM_SETTINGS, NO_DEFAULT
from app.dependencies import REQUIRED
from app.dispatch.resources import Resource, with_members
from app.dispatch.routes import routes
from app.exception_handlers import Problem

DESCRIPTION = """\
Register, log in, and put the token into *Authorize*: everything else needs it.

Errors have one shape, an RFC 9457 problem, and name the fields they are about. A parameter that a
route does not list below is refused, with the right name if there is one.
"""
SCHEMAS = "#/components/schemas/"
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "Answer 304, without a body, if the ETag is still one of these.",
}


def openapi(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """The whole document, which takes seconds where there are hundreds of routes."""
    load_models()  # which may refer to those of routes
    served = routes(app.router)
    found, webhooks = places(served), places(routes(app.webhooks))
    ids = operation_ids([*found, *webhooks])
    callbacks = callbacks_with_ids(ids)
    members = with_members(served)
    answers: dict[Place, Answers] = {}
    shown = []
    for place in found:
        resource = Resource(place.route, settings.secret_keys)
        resource.has_member = place.method == "POST" and place.route.words in members
        answers[place] = Answers(app, place, resource.headers)
        shown.append(
            place.route.shown(
                methods={place.method},
                operation_id=ids[place],
                callbacks=callbacks[place],
                responses=answers[place].declared,
            )
        )
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        summary=app.summary,
        description=app.description,
        terms_of_service=app.terms_of_service,
        contact=app.contact,
        license_info=app.license_info,
        routes=shown,
        webhooks=[
            each.route.shown(methods={each.method}, operation_id=ids[each]) for each in webhooks
        ],
        tags=app.openapi_tags,
        servers=app.servers,
        separate_input_output_schemas=app.separate_input_output_schemas,
        external_docs=app.openapi_external_docs,
    )
    _fill(document, settings)
    components = document.setdefault("components", {})
    components["headers"] = header_components()
    problem = _add_problem(components.setdefault("schemas", {}))
    for place in found:
        operation = document["paths"][place.route.path][place.method.lower()]
        extra = place.route.context.openapi_extra or {}
        _complete_parameters(operation, len(extra.get("parameters", ())))
        operation["responses"] = answers[place].add_to(operation["responses"], problem)
        if answers[place].is_conditional:
            _add_if_none_match(operation)
    return document


def _complete_parameters(operation: dict[str, Any], declared: int) -> None:
    """Those that FastAPI found; the last ones, if any, are `declared` in the route's extras."""
    found: list[dict[str, Any]] = operation.get("parameters", [])
    for parameter in found[: len(found) - declared]:
        schema = parameter["schema"] = _sendable(parameter["schema"])
        parameter["required"] |= schema.pop(REQUIRED, False)
        if schema.pop(NO_DEFAULT, False):
            schema.pop("default", None)
        if description := schema.pop("description", None):
            parameter["description"] = description
        if schema.get("title") == parameter["name"].title().replace("_", " "):  # FastAPI's own
            del schema["title"]


def _sendable(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without null, which no query string can send."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        return {name: value for name, value in schema.items() if name != "anyOf"} | kinds[0]
    return schema | {"anyOf": kinds} if kinds else schema


def _add_if_none_match(operation: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    if not any(each.get("name", "").lower() == "if-none-match" for each in parameters):
        parameters.append(dict(IF_NONE_MATCH))


def _add_problem(schemas: dict[str, Any]) -> str:
    """Add the schemas of errors, under names that are free; the reference to a problem's."""
    suffix = ""
    while {f"Problem{suffix}", f"FieldError{suffix}"} & schemas.keys():
        suffix += "_"
    made = Problem.model_json_schema(ref_template=f"{SCHEMAS}{{model}}{suffix}")
    for name, schema in {**made.pop("$defs"), "Problem": made}.items():
        schemas[name + suffix] = schema
    return f"{SCHEMAS}Problem{suffix}"


def _fill(node: Any, settings: Settings) -> None:
    """Put the settings where the markers are."""
    if isinstance(node, dict):
        if FROM_SETTINGS in node:
            keywords: dict[str, str] = node.pop(FROM_SETTINGS)
            node |= {name: getattr(settings, setting) for name, setting in keywords.items()}
        for each in node.values():
            _fill(each, settings)
    elif isinstance(node, list):
        for each in node:
            _fill(each, settings)
