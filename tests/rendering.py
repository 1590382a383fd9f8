"""Renderers of models, as a route that declares them has."""

from typing import Any

from fastapi import FastAPI

from app.dispatch.rendering import Renderer
from app.dispatch.routes import routes


def renderer(model: Any, **options: Any) -> Renderer:
    """That of a route with this response model, and options as FastAPI's decorators take them."""
    app = FastAPI(openapi_url=None)
    app.add_api_route("/", lambda: None, response_model=model, **options)
    [route] = routes(app.router)
    return Renderer(route.answer())
