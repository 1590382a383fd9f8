"""The border: the one file that reads FastAPI's internals, and describes each route in our terms.

It works by an allow-list. A part of a route that is not known here is an obstacle, never dropped:
the route then goes FastAPI's own way. A test names every internal that is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from email.message import Message
from enum import Enum
from functools import cache, cached_property
from inspect import unwrap
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import fastapi.routing
from fastapi import params
from fastapi._compat import (
    ModelField,
    Undefined,
    create_body_model,
    field_annotation_is_sequence,
    get_cached_model_fields,
)
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import (
    Dependant,
    _is_async_gen_callable,
    _is_coroutine_callable,
    _is_gen_callable,
)
from fastapi.dependencies.utils import (
    _get_param_aliases,
    _get_param_model,
    _is_json_field,
    get_dependant,
    get_flat_params,
    get_typed_return_annotation,
    request_body_to_args,
)
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import (
    EndpointContext,
    RequestValidationError,
    ResponseValidationError,
)
from fastapi.routing import (
    APIRoute,
    APIRouter,
    APIWebSocketRoute,
    RouteContext,
    _EffectiveRouteContext,
    _extract_endpoint_context,
    _IncludedRouter,
)
from fastapi.utils import get_value_or_default
from pydantic import BaseModel, ConfigDict, Json, ValidationError
from pydantic.fields import FieldInfo
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from app.dispatch.fastapi_parts import DEPENDANT_PARTS, ROUTE_PARTS

WEBSOCKET = "WEBSOCKET"  # in place of a method
GET_REQUEST_HANDLER = fastapi.routing.get_request_handler  # before anyone could wrap it

CONTEXT_KEY = "effective_route_context"
WRAPPED = "__wrapped_endpoint__"
EXCLUDES = ("exclude_unset", "exclude_defaults", "exclude_none")
IMMUTABLE = (str, int, float, bytes, Enum)

type Overrides = Mapping[Callable[..., Any], Callable[..., Any]]


class Parameter:
    """One value that is read from the path, the query or a header."""

    __slots__ = ("_field", "alias", "header", "many", "model", "name", "read", "required")

    def __init__(self, described: ModelField) -> None:
        self._field = described
        self.name: str = described.name
        [(_, self.alias)] = _get_param_aliases(described)
        self.header = self.alias.lower().encode("latin-1")
        self.model: type[BaseModel] | None = _get_param_model(described)
        self.many = field_annotation_is_sequence(described.field_info.annotation)
        self.required: bool = described.field_info.is_required()
        self.read: Callable[[Any], Any] = described._type_adapter.validator.validate_python  # noqa: SLF001

    def errors(self, value: Any, loc: tuple[str, ...]) -> list[Any]:
        """What is wrong with a value that `read` refused, in FastAPI's terms."""
        return self._field.validate(value, {}, loc=loc)[1]

    def default(self) -> Any:
        """What FastAPI would take; a list or the like is a new one each time."""
        value = self._field.get_default()
        return value if value is None or isinstance(value, IMMUTABLE) else deepcopy(value)


class QueryValue(NamedTuple):
    """What stands in a query under one name."""

    many: bool  # it may be repeated
    number: type | None = None  # int, or float for every other kind


@dataclass(slots=True)
class Dependency:
    """A callable and what its arguments are; the endpoint is the one that nobody depends on."""

    call: Callable[..., Any]
    name: str | None
    cache_key: Any
    use_cache: bool  # False: called anew for the one that needs it
    dependencies: list[Dependency]
    path: list[Parameter] = field(default_factory=list)
    query: list[Parameter] = field(default_factory=list)
    header: list[Parameter] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # arguments that take the request itself
    response: str | None = None
    background: str | None = None

    @property
    def in_thread(self) -> bool:
        return not _is_coroutine_callable(self.call)

    def all(self) -> Iterator[Dependency]:
        yield self
        for each in self.dependencies:
            yield from each.all()


class JsonField(ModelField):
    """Of a body that FastAPI's handler has parsed already."""

    def validate(
        self,
        value: Any,
        values: Any = None,  # noqa: ARG002 - FastAPI passes it
        *,
        loc: tuple[int | str, ...] = (),
    ) -> tuple[Any, list[dict[str, Any]]]:
        try:
            return self._type_adapter.validate_json(json.dumps(value)), []
        except ValidationError as error:
            found = error.errors(include_url=False)
            return None, [{**each, "loc": (*loc, *each["loc"])} for each in found]

    __hash__ = ModelField.__hash__


def _read_json_strictly(dependant: Dependant) -> None:
    changed: list[ModelField] = []
    for each in dependant.body_params:
        field = copy(each)
        field.__class__ = JsonField
        changed.append(field)
    dependant.body_params = changed
    for sub in dependant.dependencies:
        _read_json_strictly(sub)


class Body:
    """What a JSON body is read as: one value, or one member for each of several."""

    def __init__(self, fields: list[ModelField], *, embedded: bool) -> None:
        self.fields = list({each.name: each for each in fields}.values())
        self.embedded = embedded
        self.names = [each.name for each in self.fields]
        self.required = any(each.field_info.is_required() for each in fields)

    @property
    def annotation(self) -> Any:
        """The type of the one value; None if there are several."""
        return None if self.embedded else self.fields[0].field_info.annotation

    def defaults(self) -> dict[str, Any]:
        return {each.name: deepcopy(each.get_default()) for each in self.fields}

    def json_reader(self) -> Callable[[bytes], Any]:
        """Reads JSON as the one value, or as an object with a member for each and no other."""
        if not self.embedded:
            return self.fields[0]._type_adapter.validator.validate_json  # noqa: SLF001
        closed = ConfigDict(extra="forbid", hide_input_in_errors=True)
        model = create_body_model(fields=self.fields, model_name="Body", config=closed)
        return model.__pydantic_validator__.validate_json

    async def read_any(
        self, content_type: str, body: bytes
    ) -> tuple[dict[str, Any], list[Any], Any]:
        """The arguments, what is wrong with them, and what was received, as FastAPI reads a body.

        Raises RequestValidationError for what is not JSON, as it does.
        """
        received: Any = Undefined
        if body:
            received = _json(body) if _is_json(content_type) else body
        values, errors = await request_body_to_args(self.fields, received, self.embedded)
        return values, errors, None if received is Undefined else received


def _is_json(content_type: str) -> bool:
    message = Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    is_application = message.get_content_maintype() == "application"
    return (
        bool(content_type) and is_application and (subtype == "json" or subtype.endswith("+json"))
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        found = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error"}
        details = found | {"input": {}, "ctx": {"error": error.msg}}
        raise RequestValidationError([details], body=error.doc) from None
    except Exception as error:  # as FastAPI has it
        raise HTTPException(400, "There was an error parsing the body") from error


class Answer:
    """How a result becomes the content of a response; `response_class` is None by default."""

    def __init__(self, context: Any) -> None:
        chosen = context.response_class
        self.model: Any = context.response_model
        self.status: int | None = context.status_code
        self.response_class = None if isinstance(chosen, DefaultPlaceholder) else chosen
        self._field: ModelField | None = context.response_field
        self._options = {
            name: getattr(context, f"response_model_{name}")
            for name in ("include", "exclude", "by_alias", *EXCLUDES)
        }
        usual = {"include": None, "exclude": None, "by_alias": True}
        # Whether the whole model is written, under its own names.
        self.is_whole = all(
            usual.get(name, False) == value for name, value in self._options.items()
        )

    def content(self, result: Any) -> Any:
        """Bytes of JSON where there is a model and no response class, else what JSON can hold.

        Raises ResponseValidationError for a result that the model does not fit.
        """
        if self._field is None:
            return jsonable_encoder(result)
        value, errors = self._field.validate(result, {}, loc=("response",))
        if errors:
            raise ResponseValidationError(errors, body=result)
        if self.response_class is None:
            return self._field.serialize_json(value, **self._options)
        return self._field.serialize(value, **self._options)


class Route:
    """One of the application's routes, as FastAPI would serve it below all of its prefixes."""

    def __init__(self, context: RouteContext, routers: Sequence[APIRouter] = ()) -> None:
        self.context = context
        self._routers = routers
        self.original = context.original_route
        self.path: str = context.path_format or context.path or ""
        self.methods: frozenset[str] = frozenset(context.methods or ())
        if isinstance(self.original, APIWebSocketRoute):
            self.methods = frozenset({WEBSOCKET})
        self.name = context.name
        self.dependant: Dependant | None = getattr(context, "dependant", None)

    @property
    def is_api(self) -> bool:
        """Whether FastAPI reads its arguments, other than for a mount or a plain function."""
        return isinstance(self.original, APIRoute | APIWebSocketRoute)

    @cached_property
    def scope(self) -> dict[str, Any]:
        """What FastAPI's router leaves in the scope of a request."""
        found = {"route": self.original, "endpoint": self.endpoint}
        if self._routers:
            found["router"] = self._routers[0]
        context = self.context._route_context  # noqa: SLF001
        return found if context is None else found | {"fastapi": {CONTEXT_KEY: context}}

    @property
    def endpoint(self) -> Callable[..., Any] | None:
        return self.context.endpoint

    @property
    def response_model(self) -> Any:
        return getattr(self.context, "response_model", None)

    @property
    def max_body_size(self) -> int | None:
        return getattr(self.context, "max_body_size", None)

    @cached_property
    def words(self) -> tuple[str | None, ...] | None:
        """The parts of the path, None for a parameter; None where a part is more than one value."""
        if not isinstance(self.original, StarletteRoute | APIWebSocketRoute):
            return None
        convertors = self.context.param_convertors
        parts: list[str | None] = []
        for part in self.path.split("/")[1:]:
            if "{" not in part:
                parts.append(part)
            elif part[0] == "{" and part[-1] == "}" and part.count("{") == 1:
                if type(convertors[part[1:-1]]).__name__ != "StringConvertor":
                    return None
                parts.append(None)
            else:
                return None
        return tuple(parts)

    def takes(self, method: str, path: str) -> bool:
        """Whether it answers such a request, as FastAPI's router finds it."""
        return (
            self.answers
            and (method in self.methods or (method == "HEAD" and "GET" in self.methods))
            and self.context.path_regex.match(path) is not None
        )

    @property
    def fixed_path(self) -> str:
        """What comes before the first parameter."""
        return self.path.partition("{")[0]

    @property
    def answers(self) -> bool:
        """Whether it is a route of FastAPI's that answers requests: no WebSocket, and no mount."""
        return isinstance(self.original, APIRoute)

    @property
    def path_names(self) -> tuple[str, ...]:
        parts = self.path.split("/")[1:]
        return tuple(each[1:-1] for each in parts if each.startswith("{"))

    @cached_property
    def body(self) -> Body | None:
        """The JSON body that the endpoint itself takes."""
        if self.dependant is None or not self.dependant.body_params or self.takes_form:
            return None
        embedded: bool = self.context._embed_body_fields  # noqa: SLF001
        return Body(self.dependant.body_params, embedded=embedded)

    @property
    def takes_form(self) -> bool:
        described = getattr(self.context, "body_field", None)
        return described is not None and isinstance(described.field_info, params.Form)

    @property
    def takes_body(self) -> bool:
        return getattr(self.context, "body_field", None) is not None

    def answer(self) -> Answer:
        return Answer(self.context)

    def where(self, mounted_at: str = "") -> EndpointContext:
        """The endpoint in the source, as FastAPI's errors tell it."""
        found = _extract_endpoint_context(self.endpoint)
        return {**found, "path": f"{'/'.join(sorted(self.methods))} {mounted_at}{self.path}"}

    def calls(self) -> Iterator[Callable[..., Any]]:
        """Every callable that the route depends on, at any depth."""
        if self.dependant is not None:
            yield from _calls(self.dependant)

    def parameters(self) -> Iterator[FieldInfo]:
        """All that is read from the path, the query, headers and cookies, at any depth."""
        if self.dependant is not None:
            yield from (each.field_info for each in get_flat_params(self.dependant))

    @property
    def is_documented(self) -> bool:
        return isinstance(self.original, APIRoute) and bool(self.context.include_in_schema)

    @property
    def made_id(self) -> str | None:
        """What the application's own `generate_unique_id_function` makes, if there is one."""
        function = self.context.generate_unique_id_function
        return None if isinstance(function, DefaultPlaceholder) else self.context.unique_id

    def shown(self, **parts: Any) -> RouteContext:
        """The route with other parts, as an OpenAPI document is to show it."""
        changed = copy(self.context._effective_route)  # noqa: SLF001
        vars(changed).update(parts)
        if isinstance(changed, BaseRoute):
            return RouteContext(changed)
        return RouteContext(self.original, changed)

    def query(self) -> dict[str, QueryValue]:
        """What may be in the query, by name."""
        return {} if self.dependant is None else dict(_query_values(self.dependant))

    def query_models(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arguments that take a model of query parameters: the endpoint's, and all others."""
        if self.dependant is None:
            return {}, {}
        own = self.dependant.query_params
        rest = [each for each in _query_params(self.dependant) if each not in own]
        return _models(own), _models(rest)

    def read_json_strictly(self) -> None:
        """Have FastAPI's handler read the members of a JSON body as JSON, not as Python's values.

        A strict model takes an enum's value or a UUID's text in JSON alone.
        """
        if self.dependant is not None and not self.takes_form:
            _read_json_strictly(self.dependant)

    def wrap_endpoint(self, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Have FastAPI's handler call what `wrap` makes of the endpoint."""
        assert self.dependant is not None
        call: Any = self.dependant.call
        call = getattr(call, WRAPPED, call)
        wrapped: Any = wrap(call)
        setattr(wrapped, WRAPPED, call)
        self.dependant.call = wrapped

    def tree(self, overrides: Overrides) -> Dependency:
        """The endpoint with all that it needs. Only where there are no obstacles."""
        assert self.dependant is not None
        return _dependency(self.dependant, overrides)

    def obstacles(self, overrides: Overrides, *, strict: bool) -> list[str]:
        """What keeps the route from the fast way, each as a phrase.

        `strict`: whether the query is read against a closed list of names.
        """
        if not isinstance(self.original, APIRoute):
            is_socket = isinstance(self.original, APIWebSocketRoute)
            return ["is a WebSocket" if is_socket else "is a plain route of Starlette's"]
        if self.dependant is None:
            return ["is of a kind that is not known"]
        found = [*self._route_obstacles(), *_dependant_obstacles(self.dependant, overrides)]
        if not strict and any(map(_get_param_model, _query_params(self.dependant))):
            found.append("takes a model of query parameters, which may be unknown ones")
        return found

    def _route_obstacles(self) -> Iterator[str]:
        context = self.context
        if type(self.original) is not APIRoute:
            yield f"has a route class of its own, {type(self.original).__name__}"
        for router in self._routers:
            if type(router) is not APIRouter:
                yield f"is in a router of a class of its own, {type(router).__name__}"
        if fastapi.routing.get_request_handler is not GET_REQUEST_HANDLER:
            owner = fastapi.routing.get_request_handler.__module__
            yield f"FastAPI's handler is wrapped by {owner}"
        for name in _unknown_parts(_EffectiveRouteContext, ROUTE_PARTS):
            yield f"FastAPI has a new part of routes, {name}"
        call = self.dependant.call if self.dependant else None
        if _is_gen_callable(call) or _is_async_gen_callable(call):
            yield "streams what it yields"
        told = {
            "has a body limit of its own": self.max_body_size is not None,
            "takes a form": self.takes_form,
            "has a dependency that takes a body": self.takes_body
            and not self.takes_form
            and self.body is None,
        }
        yield from (what for what, found in told.items() if found)
        if not get_value_or_default(context.strict_content_type):
            yield "takes JSON of any content type"


def routes(router: APIRouter) -> list[Route]:
    """All of a router's, at any depth, in the order in which they are tried."""
    return [*_routes(router.routes, (router,))]


def _routes(
    found: Sequence[BaseRoute | _EffectiveRouteContext], routers: tuple[APIRouter, ...]
) -> Iterator[Route]:
    for each in found:
        if isinstance(each, _IncludedRouter):
            yield from _routes(each.effective_candidates(), (*routers, each.original_router))
        elif isinstance(each, _EffectiveRouteContext):
            yield Route(RouteContext(each.original_route, each), routers)
        else:
            yield Route(RouteContext(each), routers)


def includes(outer: APIRouter, inner: APIRouter) -> bool:
    return outer is not inner and outer._contains_router(inner)  # noqa: SLF001


def with_dependencies(
    router: APIRouter,
    choose: Callable[[set[str]], list[params.Depends]],
    prefix: str = "",
    outer: Sequence[params.Depends] = (),
) -> APIRouter:
    """A copy of the router in which each route has the dependencies that are chosen for it first.

    They are chosen by the names of the route, `GET /items`, with the prefixes of included routers.
    Raises TypeError for a route that can have none.
    """
    copied = copy(router)
    copied.routes = []
    for route in router.routes:
        if isinstance(route, _IncludedRouter):
            context = route.include_context
            inner = with_dependencies(
                route.original_router,
                choose,
                prefix + context.prefix,
                [*outer, *context.dependencies],
            )
            bare = replace(context, included_router=inner, dependencies=[])
            copied.routes.append(_IncludedRouter(original_router=inner, include_context=bare))
            continue
        if not isinstance(route, APIRoute | APIWebSocketRoute):
            path = prefix + getattr(route, "path", "")
            raise TypeError(
                f"{path}: a {type(route).__name__} cannot require a session; make it a route of "
                "FastAPI's, or add it to the application outside of the API"
            )
        methods = getattr(route, "methods", {WEBSOCKET})
        chosen = choose({f"{method} {prefix}{route.path}" for method in methods})
        changed = copy(route)
        changed.dependencies = [*chosen, *outer, *route.dependencies]
        copied.routes.append(changed)
    return copied


@cache
def result_of(call: Callable[..., Any]) -> tuple[Any, ...]:
    """The types that a dependency says it gives: its own, and for `yield` those within it."""
    if isinstance(call, type):
        return (call,)
    annotation = get_typed_return_annotation(call)
    return (annotation, *get_args(annotation))


def routes_version(router: fastapi.routing.APIRouter) -> int:
    """Another number once a route was added to the router, or to one that it includes."""
    return router._get_routes_version()  # noqa: SLF001


def _unknown_parts(kind: Any, known: set[str]) -> list[str]:
    return sorted({each.name for each in fields(kind)} - known)


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for each in dependant.dependencies:
        if each.call is not None:
            yield each.call
        yield from _calls(each)


def _query_params(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.query_params
    for each in dependant.dependencies:
        yield from _query_params(each)


def _models(found: list[ModelField]) -> dict[str, Any]:
    return {each.name: _get_param_model(each) for each in found}


def _query_values(dependant: Dependant) -> Iterator[tuple[str, QueryValue]]:
    """Those of models too."""
    for each in _query_params(dependant):
        model = _get_param_model(each)
        for part in [each] if model is None else get_cached_model_fields(model):
            info = part.field_info
            is_json = any(type(each) is Json for each in info.metadata)
            value = QueryValue(
                many=field_annotation_is_sequence(info.annotation),
                number=None if is_json else _number(info.annotation),
            )
            for _, alias in _get_param_aliases(part):
                yield alias, value


def _number(annotation: Any) -> type | None:
    """What a value is, or each of several."""
    if annotation is int:
        return int
    if annotation in {float, Decimal}:
        return float
    parts = [each for each in get_args(annotation) if each is not type(None)]
    origin = get_origin(annotation)
    if origin is Annotated:
        return _number(parts[0])
    if origin in {Union, UnionType} or field_annotation_is_sequence(origin):
        kinds = {_number(each) for each in parts if each is not ...}
        return kinds.pop() if len(kinds) == 1 else None
    return None


def _dependency(
    dependant: Dependant, overrides: Overrides, cache_key: Any = None, *, use_cache: bool = True
) -> Dependency:
    call: Any = dependant.call
    return Dependency(
        getattr(call, WRAPPED, call),
        dependant.name,
        cache_key,
        use_cache,
        [
            _dependency(
                _overridden(each, overrides),
                overrides,
                (each.call, each.scope),
                use_cache=each.use_cache,
            )
            for each in dependant.dependencies
        ],
        [Parameter(each) for each in dependant.path_params],
        [Parameter(each) for each in dependant.query_params],
        [Parameter(each) for each in dependant.header_params],
        [
            name
            for name in (dependant.request_param_name, dependant.http_connection_param_name)
            if name
        ],
        dependant.response_param_name,
        dependant.background_tasks_param_name,
    )


def _overridden(dependant: Dependant, overrides: Overrides) -> Dependant:
    call: Any = overrides.get(dependant.call) if dependant.call is not None else None
    if call is None:
        return dependant
    return get_dependant(
        path=dependant.path or "", call=call, name=dependant.name, scope=dependant.scope
    )


def _dependant_obstacles(
    dependant: Dependant, overrides: Overrides, *, is_endpoint: bool = True
) -> Iterator[str]:
    call: Any = dependant.call
    name = getattr(unwrap(call), "__name__", type(call).__name__)
    told = {
        "yields": not is_endpoint and (_is_gen_callable(call) or _is_async_gen_callable(call)),
        "takes a body": not is_endpoint and dependant.body_params,
        "reads cookies": dependant.cookie_params,
        "asks for a WebSocket": dependant.websocket_param_name,
        "asks for security scopes": dependant.security_scopes_param_name,
        "has security scopes": dependant.own_oauth_scopes or dependant.parent_oauth_scopes,
        "limits its concurrency": dependant.concurrency,
    }
    for part in _unknown_parts(Dependant, DEPENDANT_PARTS):
        yield f"FastAPI has a new part of dependencies, {part}"
    yield from (f"{name} {what}" for what, found in told.items() if found)
    for each in (*dependant.path_params, *dependant.query_params, *dependant.header_params):
        if what := _parameter_obstacle(each):
            yield f"{name} takes {each.name} {what}"
    for sub in dependant.dependencies:
        yield from _dependant_obstacles(_overridden(sub, overrides), overrides, is_endpoint=False)


def _parameter_obstacle(parameter: ModelField) -> str | None:
    model = _get_param_model(parameter)
    if len(_get_param_aliases(parameter)) > 1 or _is_json_field(parameter):
        return "in more than one form"
    if parameter.field_info.validate_default:
        return "and validates its default"
    if model is None:
        return None
    if not isinstance(parameter.field_info, params.Query):
        return "as a model of headers"
    several = any(len(_get_param_aliases(each)) > 1 for each in get_cached_model_fields(model))
    if several or parameter.field_info.annotation is not model:
        return "as a model of query parameters in more than one form"
    return None
