"""The user guide's pages on file responses, static files and front ends."""

from pathlib import Path

import httpx2 as httpx
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from tests.compatibility.feature import feature, get, head, post

FILES = Path(__file__).parents[1] / "files"


async def conditional(client: httpx.AsyncClient) -> list[httpx.Response]:
    """With the entity tag and the time of an answer before."""
    first = await client.get("/static/hello.txt")
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    return [
        await client.get("/static/hello.txt", headers=headers)
        for headers in ({"If-None-Match": tag}, {"If-Modified-Since": modified})
    ]


async def ranges_of_version(client: httpx.AsyncClient) -> list[httpx.Response]:
    first = await client.get("/file")
    return [
        await client.get("/file", headers={"Range": "bytes=0-3", "If-Range": tag})
        for tag in (first.headers["etag"], '"other"')
    ]


@feature(
    "File responses",
    get("/file"),
    get("/named"),
    get("/inline"),
    get("/class"),
    get("/missing"),
    get("/file", headers={"Range": "bytes=0-4"}),
    get("/file", headers={"Range": "bytes=-5"}),
    get("/file", headers={"Range": "bytes=7-"}),
    get("/file", headers={"Range": "bytes=100-200"}),
    get("/file", headers={"Range": "lines=1"}),
    ranges_of_version,
    head("/file"),
    post("/file"),
)
def file_responses(app: FastAPI) -> None:
    @app.get("/file")
    async def file():
        return FileResponse(FILES / "hello.txt")

    @app.get("/named")
    async def named():
        return FileResponse(FILES / "hello.txt", filename="grüße.txt", media_type="text/x-own")

    @app.get("/inline")
    def inline():
        return FileResponse(
            FILES / "index.html", filename="a.html", content_disposition_type="inline"
        )

    @app.get("/class", response_class=FileResponse)
    async def by_class():
        return str(FILES / "style.css")

    @app.get("/missing")
    async def missing():
        return FileResponse(FILES / "nothing.txt")


@feature(
    "Static files",
    get("/static/hello.txt"),
    get("/static/style.css"),
    get("/static/nothing.txt"),
    get("/static/../feature.py"),
    get("/static/%2e%2e/feature.py"),
    get("/static/"),
    get("/static"),
    head("/static/hello.txt"),
    post("/static/hello.txt"),
    get("/static/hello.txt", headers={"Range": "bytes=0-4"}),
    conditional,
    get("/url"),
)
def static_files(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=FILES), name="static")

    @app.get("/url")
    async def url():
        return app.url_path_for("static", path="hello.txt")


@feature(
    "Static files: html=True at the root, behind the routes",
    get("/"),
    get("/index.html"),
    get("/api"),
    get("/nothing"),
    post("/api"),
)
def html_site(app: FastAPI) -> None:
    @app.get("/api")
    async def api():
        return "api"

    app.mount("/", StaticFiles(directory=FILES, html=True), name="site")


@feature(
    "Front ends: app.frontend",
    get("/", headers={"Accept": "text/html"}),
    get("/deep/link", headers={"Accept": "text/html"}),
    get("/deep/link", headers={"Accept": "application/json"}),
    get("/hello.txt"),
    get("/api/items"),
    get("/api/nothing", headers={"Accept": "application/json"}),
    head("/hello.txt"),
)
def frontend(app: FastAPI) -> None:
    app.frontend("/", directory=FILES, fallback="index.html")

    @app.get("/api/items")
    async def items():
        return ["a"]
