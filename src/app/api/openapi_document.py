"""Serves the OpenAPI document, which is made in a thread: other requests do not wait for it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, request_response

from app.core.entity_tags import names


class Kept(NamedTuple):
    """The document as it is sent, and what that was made of."""

    schema: dict[str, Any]
    root_path: str
    content: bytes
    etag: str


class OpenAPIDocument:
    """That of one application, made once, by the first who asks."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="openapi")
        self._kept: Kept | None = None

    async def serve(self, request: Request) -> Response:
        root_path = request.scope.get("root_path", "").rstrip("/")
        make = partial(copy_context().run, self._make, root_path)
        # A request that is given up does not end the thread: the next one gets what it makes.
        kept = await asyncio.get_running_loop().run_in_executor(self._maker, make)
        headers = {"ETag": kept.etag, "Cache-Control": "private, no-cache"}
        known = ", ".join(request.headers.getlist("If-None-Match"))
        if known and names(known, kept.etag):
            return Response(status_code=304, headers=headers)
        return Response(kept.content, media_type="application/json", headers=headers)

    def _make(self, root_path: str) -> Kept:
        schema = self._app.openapi()  # which the application may have replaced
        kept = self._kept
        if kept is None or kept.schema is not schema or kept.root_path != root_path:
            content = JSONResponse(self._with_server(schema, root_path)).body
            etag = f'"{sha256(content).hexdigest()[:32]}"'
            self._kept = kept = Kept(schema, root_path, bytes(content), etag)
        return kept

    def _with_server(self, schema: dict[str, Any], root_path: str) -> dict[str, Any]:
        """With the prefix that clients have to put before each path, as FastAPI adds it."""
        servers: list[dict[str, Any]] = schema.get("servers", [])
        known = {each.get("url") for each in servers}
        if not root_path or not self._app.root_path_in_servers or root_path in known:
            return schema
        if not self._app.servers and servers:
            return {**schema, "servers": [{**servers[0], "url": root_path}]}
        return {**schema, "servers": [{"url": root_path}, *servers]}


def serve_document(app: FastAPI) -> None:
    """In place of FastAPI's own route, which makes the document in the event loop."""
    for route in app.routes:
        if isinstance(route, Route) and route.path == app.openapi_url:
            route.endpoint = OpenAPIDocument(app).serve
            route.app = request_response(route.endpoint)
