"""How the document is made and sent, and the pages that show it, also behind a proxy's prefix."""

import asyncio
import re
import threading
from typing import Any

import httpx
import pytest
from fastapi.openapi.utils import get_openapi

from app import main
from app.config import Settings
from app.main import Application, create_app

DOCUMENT = "/openapi.json"
PREFIX = "/svc"


@pytest.fixture
def made(settings: Settings) -> Application:
    """An application that has made no document yet."""
    app = create_app(settings)
    assert isinstance(app, Application)
    return app


def client_of(app: Application, root_path: str = "") -> httpx.AsyncClient:
    """Behind a proxy that takes the prefix off and tells the server of it, as uvicorn has it."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root_path)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


class TestMaking:
    async def test_others_are_answered_meanwhile_and_one_at_a_time_makes_it(
        self, made: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun, go_on = threading.Event(), threading.Event()
        documents: list[dict[str, Any]] = []
        make = main.openapi

        def wait_and_make(app: Application, settings: Settings) -> dict[str, Any]:
            begun.set()
            assert go_on.wait(10)
            documents.append(make(app, settings))
            return documents[-1]

        monkeypatch.setattr(main, "openapi", wait_and_make)
        async with client_of(made) as client, asyncio.TaskGroup() as group:
            asked = [group.create_task(client.get(DOCUMENT)) for _ in range(5)]
            assert await asyncio.to_thread(begun.wait, 10)
            assert (await client.get("/health/live")).status_code == 200
            assert not any(each.done() for each in asked)
            go_on.set()
        assert [each.result().json() for each in asked] == 5 * documents

    async def test_one_who_gives_up_leaves_it_to_the_next(
        self, made: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made.settings = made.settings.model_copy(update={"request_timeout": 0.1})
        go_on, made_one = threading.Event(), threading.Event()
        make = main.openapi

        def wait_and_make(app: Application, settings: Settings) -> dict[str, Any]:
            assert go_on.wait(10)
            document = make(app, settings)
            made_one.set()
            return document

        monkeypatch.setattr(main, "openapi", wait_and_make)
        async with client_of(made) as client:
            assert (await client.get(DOCUMENT)).status_code == 503
            go_on.set()
            assert await asyncio.to_thread(made_one.wait, 30)
            made.settings = made.settings.model_copy(update={"request_timeout": 10})
            response = await client.get(DOCUMENT)
        assert response.json() == made.openapi_schema

    async def test_routes_that_are_added_later(self, made: Application) -> None:
        async with client_of(made) as client:
            before = await client.get(DOCUMENT)

            @made.get("/later")
            async def later() -> None: ...

            after = await client.get(DOCUMENT)
        assert after.json()["paths"].keys() - before.json()["paths"].keys() == {"/later"}
        assert after.headers["ETag"] != before.headers["ETag"]

    async def test_a_document_of_the_applications_own(self, made: Application) -> None:
        def own() -> dict[str, Any]:
            if not made.openapi_schema:
                made.openapi_schema = get_openapi(title="Mine", version="2", routes=made.routes)
            return made.openapi_schema

        made.openapi = own  # type: ignore[method-assign]
        async with client_of(made) as client:
            document = (await client.get(DOCUMENT)).json()
        assert document["info"] == {"title": "Mine", "version": "2"}
        assert "servers" not in document


class TestSending:
    async def test_a_client_that_has_it_is_told_so(self, made: Application) -> None:
        async with client_of(made) as client:
            whole = await client.get(DOCUMENT)
            tag = whole.headers["ETag"]
            for value in (tag, f'"other", {tag}', "*"):
                again = await client.get(DOCUMENT, headers={"If-None-Match": value})
                assert (again.status_code, again.content) == (304, b"")
                assert again.headers["ETag"] == tag
                assert again.headers["Cache-Control"] == "private, no-cache"
            other = await client.get(DOCUMENT, headers={"If-None-Match": '"other"'})
            head = await client.head(DOCUMENT)
        assert other.content == whole.content
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(whole.content))

    @pytest.mark.parametrize("root_path", ["", PREFIX])
    async def test_servers_are_told_as_fastapi_does(
        self, made: Application, root_path: str
    ) -> None:
        made.servers = [{"url": "https://api.example.com"}]
        async with client_of(made, root_path) as client:
            document = (await client.get(f"{root_path}{DOCUMENT}")).json()
        prefix = [{"url": PREFIX}] if root_path else []
        assert document["servers"] == [*prefix, *made.servers]
        assert made.openapi()["servers"] == made.servers  # which is shared by all prefixes

    async def test_servers_that_shall_not_name_the_prefix(self, made: Application) -> None:
        made.root_path_in_servers = False
        async with client_of(made, PREFIX) as client:
            document = (await client.get(f"{PREFIX}{DOCUMENT}")).json()
        assert document["servers"] == made.openapi()["servers"]

    @pytest.mark.parametrize("root_path", ["", PREFIX])
    async def test_without_servers_it_is_this_one(self, made: Application, root_path: str) -> None:
        async with client_of(made, root_path) as client:
            document = (await client.get(f"{root_path}{DOCUMENT}")).json()
        [server] = document["servers"]
        assert server["url"] == (root_path or "/")


class TestBehindAPrefix:
    @pytest.mark.parametrize("path", ["/docs", "/redoc"])
    async def test_all_that_a_page_loads_lies_below_it(self, made: Application, path: str) -> None:
        async with client_of(made, PREFIX) as client:
            html = (await client.get(f"{PREFIX}{path}")).text
            found = re.findall(r"""(?:\bsrc|href|spec-url)="(.*?)"|\burl: ["'](.*?)["']""", html)
            urls = {attribute or option for attribute, option in found}
            assert f"{PREFIX}{DOCUMENT}" in urls
            for url in urls:
                assert url.startswith(f"{PREFIX}/")
                assert (await client.get(url)).status_code == 200, url

    async def test_the_logo_of_redoc_is_found_from_its_page(self, made: Application) -> None:
        async with client_of(made, PREFIX) as client:
            script = (await client.get(f"{PREFIX}/docs/assets/redoc.standalone.js")).text
            [logo] = re.findall(r'"([^"]*favicon\.png)"', script)
            found = httpx.URL(f"http://test{PREFIX}/redoc").join(logo)
            assert (await client.get(found)).status_code == 200

    async def test_pages_with_and_without_one_do_not_mix(self, made: Application) -> None:
        for root_path in ("", PREFIX, "", "/other"):
            async with client_of(made, root_path) as client:
                html = (await client.get(f"{root_path}/docs")).text
            assert f"{root_path}{DOCUMENT}'" in html
            assert html.count("/docs/assets/") == html.count(f'"{root_path}/docs/assets/')

    async def test_a_prefix_is_text_and_no_html(self, made: Application) -> None:
        async with client_of(made, "/<script>'") as client:
            html = (await client.get("/%3Cscript%3E'/docs")).text
        assert "/<script>'" not in html
        assert f"/%3Cscript%3E%27{DOCUMENT}" in html

    async def test_its_own_swagger_parameters_are_kept(self, made: Application) -> None:
        made.swagger_ui_parameters = {"tryItOutEnabled": False, "docExpansion": "none"}
        async with client_of(made) as client:
            html = (await client.get("/docs")).text
        assert '"tryItOutEnabled": false' in html
        assert '"docExpansion": "none"' in html
