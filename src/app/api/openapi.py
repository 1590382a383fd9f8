"""The OpenAPI document: FastAPI's, of routes that say all that they answer, under their own names.

Markers in schemas are read here: what a parameter needs, and limits that are settings.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.answers import Answers, header_components
from app.api.entity_errors import services_of, table_of
from app.api.operation_ids import Place, callbacks_with_ids, operation_ids, places
from app.api.parameters import add_if_none_match, complete_parameters
from app.api.problems import ProblemExamples, problem_schemas
from app.api.rows import complete_row, row_schemas
from app.api.samples import NONE, Samples, Schema
from app.config import Settings
from app.core.limits import INT4_MAX, INT4_MIN, INT8_MAX
from app.core.registry import load_models
from app.core.schemas import FROM_SETTINGS
from app.dispatch.resources import Resource, with_members
from app.dispatch.routes import Route, routes

DESCRIPTION = """\
Sign up, log in, and put the token into *Authorize*: everything else needs it.

* **Errors** have one shape, an RFC 9457 problem, and name the fields that they are about.
* **Lists** are filtered by the parameters that they show. A parameter that is not shown is refused,
  and the answer names the one that was probably meant. Follow `next_cursor` to walk to the end.
* **Writes** may be repeated with an `Idempotency-Key`, and are refused with `If-Match` where
  somebody else was faster.
"""
# Below the prefix of a proxy, that takes the place of it.
SERVER = {
    "url": "/",
    "description": "This server, in production as in development",
    "x-internal": False,
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
        answers[place] = Answers(app, place, resource.headers, settings)
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
        tags=_tags(app, found),
        servers=app.servers or [dict(SERVER)],
        separate_input_output_schemas=app.separate_input_output_schemas,
        external_docs=app.openapi_external_docs,
    )
    components = document.setdefault("components", {})
    schemas: dict[str, Schema] = components.setdefault("schemas", {})
    reference, problem = problem_schemas(set(schemas))
    schemas |= problem
    _fill(document, settings)
    samples, problems = Samples(schemas), ProblemExamples(reference)
    operations = {
        place: document["paths"][place.route.path][place.method.lower()] for place in found
    }
    for place, operation in operations.items():
        _complete_rows(place.route, operation, samples, schemas)
    for place, operation in operations.items():
        complete_parameters(place.route, operation)
        operation["responses"] = answers[place].add_to(operation["responses"], problems, samples)
        operation.setdefault("security", [])
        _add_body_example(operation, samples)
        if answers[place].is_conditional:
            add_if_none_match(operation)
    components["headers"] = header_components()
    components["examples"] = problems.components
    _complete_numbers_and_choices(document)
    return document


def _tags(app: FastAPI, found: Sequence[Place]) -> list[dict[str, Any]]:
    """Those of the application's own, and all that routes have, as their modules describe them."""
    tags: dict[str, dict[str, Any]] = {each["name"]: each for each in app.openapi_tags or ()}
    for place in found:
        module = sys.modules.get(getattr(place.route.endpoint, "__module__", ""))
        described: dict[str, str] = getattr(module, "TAGS", {})
        for tag in map(str, place.route.context.tags or ()):
            told = {"description": described[tag]} if tag in described else {}
            tags.setdefault(tag, {"name": tag, **told})
    return [*tags.values()]


def _complete_rows(
    route: Route, operation: dict[str, Any], samples: Samples, schemas: dict[str, Schema]
) -> None:
    services = {each.create.__module__: each for each in services_of(route)}
    for row in row_schemas(route.response_model):
        served = services.get(row.__module__)  # a list may depend on its parent's service too
        if served is None:
            continue
        for name in _referred(operation["responses"], schemas, set()):
            if schemas[name].get("title") == row.__name__:
                complete_row(schemas[name], served, table_of(served.model), samples)


def _referred(node: Any, schemas: dict[str, Schema], seen: set[str]) -> set[str]:
    """The names of the schemas that a part of the document refers to, at any depth."""
    if isinstance(node, dict):
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name in schemas and name not in seen:
            seen.add(name)
            _referred(schemas[name], schemas, seen)
    parts: Iterable[Any] = node.values() if isinstance(node, dict) else ()
    for each in node if isinstance(node, list) else parts:
        _referred(each, schemas, seen)
    return seen


def _add_body_example(operation: dict[str, Any], samples: Samples) -> None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "schema" in content and not {"example", "examples"} & content.keys():
        value = samples.of(content["schema"])
        if value is not NONE:
            content["example"] = value


def _complete_numbers_and_choices(node: Any) -> None:
    """Name the sizes of integers, and the values of enums that are no names, for clients."""
    if isinstance(node, dict):
        if node.get("type") == "integer":
            _complete_integer(node)
        choices = node.get("enum")
        if isinstance(choices, list) and any(str(each).startswith("-") for each in choices):
            node["x-enum-varnames"] = [_choice(str(each)) for each in choices]
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _complete_numbers_and_choices(each)


def _complete_integer(schema: Schema) -> None:
    """With its size; FastAPI makes floats of the bounds, which round those of 64 bits."""
    for name in schema.keys() & {"minimum", "maximum", "default"}:
        if isinstance(schema[name], float):
            schema[name] = min(int(schema[name]), INT8_MAX)
    if {"minimum", "maximum"} <= schema.keys():
        fits = schema["minimum"] >= INT4_MIN and schema["maximum"] <= INT4_MAX
        schema.setdefault("format", "int32" if fits else "int64")


def _choice(value: str) -> str:
    """`-name` is NAME_DESC."""
    name = re.sub(r"\W", "_", value.removeprefix("-")).upper()
    return f"{name}_DESC" if value.startswith("-") else name


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
