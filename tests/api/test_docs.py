"""The pages that show the document: they load nothing from elsewhere, and can be switched off."""

import base64
import re
from hashlib import sha256
from typing import Any

import httpx
import pytest

from app.config import Environment, Settings
from app.main import Application, create_app
from tests.conftest import new_client
from tests.problems import read_problem

PAGES = ["/docs", "/redoc"]
DOCS = [*PAGES, "/", "/openapi.json", "/docs/assets/swagger-ui.css"]
FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
    "favicon.png": "image/png",
}


class TestDocs:
    @pytest.mark.parametrize("path", PAGES)
    async def test_every_url_of_a_page_is_one_of_ours(
        self, client: httpx.AsyncClient, path: str
    ) -> None:
        html = (await client.get(path)).text
        urls = re.findall(r"""(?:\bsrc|href|spec-url)="(.*?)"|\burl: '(.*?)'""", html)
        found = {attribute or option for attribute, option in urls}
        assert len(found) >= 3
        for url in found:
            assert re.match(r"/\w", url)
            assert (await client.get(url)).status_code == 200, url
        assert "//" not in re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)

    async def test_no_validator_elsewhere_is_asked(self, client: httpx.AsyncClient) -> None:
        # Swagger UI's default is a badge from https://validator.swagger.io.
        assert re.search(r'"?validatorUrl"?: null', (await client.get("/docs")).text)

    @pytest.mark.parametrize("path", [*PAGES, "/", "/openapi.json"])
    async def test_takes_no_parameters(self, client: httpx.AsyncClient, path: str) -> None:
        response = await client.get(path, params={"theme": "dark"})
        assert response.status_code == 422
        assert response.json()["error_code"] == "UNKNOWN_PARAMETER"

    @pytest.mark.parametrize(("name", "media_type"), FILES.items())
    async def test_a_file_is_what_it_says(
        self, client: httpx.AsyncClient, name: str, media_type: str
    ) -> None:
        response = await client.get(f"/docs/assets/{name}")
        assert response.status_code == 200
        assert response.headers["Content-Type"].partition(";")[0] == media_type
        assert len(response.content) > 1000

    async def test_the_style_sheet_loads_nothing(self, client: httpx.AsyncClient) -> None:
        style = (await client.get("/docs/assets/swagger-ui.css")).text
        assert "@import" not in style
        assert not re.search(r"""url\(\s*["']?(?!["']?data:)""", style)

    @pytest.mark.parametrize("path", PAGES)
    async def test_the_policy_is_just_loose_enough(
        self, client: httpx.AsyncClient, path: str
    ) -> None:
        response = await client.get(path)
        directives = response.headers["Content-Security-Policy"].split("; ")
        policy = {name: set(sources) for name, *sources in map(str.split, directives)}
        scripts = re.findall(r"<script>(.*?)</script>", response.text, re.DOTALL)
        hashes = {base64.b64encode(sha256(each.encode()).digest()).decode() for each in scripts}
        assert policy["default-src"] == policy["frame-ancestors"] == {"'none'"}
        assert policy["script-src"] == {"'self'"} | {f"'sha256-{each}'" for each in hashes}
        assert policy["connect-src"] == {"'self'"}
        assert policy["style-src"] >= {"'self'", "'unsafe-inline'"}
        assert not re.search(r"\bon\w+=", response.text)
        everywhere = set[str]().union(*policy.values())
        assert not [source for source in everywhere if re.search(r"[*.]|//|eval|http", source)]

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"docs_enabled": False}, 404),
            ({"docs_enabled": True}, 200),
            ({"docs_enabled": None}, 200),
            ({"docs_enabled": None, "environment": Environment.DEVELOPMENT}, 200),
            ({"docs_enabled": None, "environment": Environment.PRODUCTION}, 404),
            ({"docs_enabled": False, "environment": Environment.PRODUCTION}, 404),
            ({"docs_enabled": True, "environment": Environment.PRODUCTION}, 200),
        ],
        ids=str,
    )
    async def test_a_setting_switches_them_off_as_production_does(
        self, settings: Settings, change: dict[str, Any], status: int
    ) -> None:
        app = create_app(settings.model_copy(update=change))
        assert isinstance(app, Application)
        async with new_client(app) as client:
            for path in DOCS:
                response = await client.get(path, follow_redirects=True)
                assert response.status_code == status, path
                if status == 404:
                    read_problem(response, 404, "NOT_FOUND")


class TestRoot:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_leads_to_the_documentation(self, client: httpx.AsyncClient, method: str) -> None:
        response = await client.request(method, "/")
        assert (response.status_code, response.content) == (307, b"")
        assert response.headers["Location"] == "/docs"

    async def test_leads_there_behind_a_prefix(self, settings: Settings) -> None:
        app = create_app(settings)
        transport = httpx.ASGITransport(app, root_path="/svc")
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for path in ("/svc/", "/svc"):
                response = await client.get(path)
                assert response.headers["Location"] == "/svc/docs", path
            read_problem(await client.get("/svc/nowhere"), 404, "NOT_FOUND")

    async def test_takes_no_other_method(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/")
        read_problem(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["Allow"] == "GET, HEAD"

    async def test_is_no_part_of_the_document(self, client: httpx.AsyncClient) -> None:
        assert "/" not in (await client.get("/openapi.json")).json()["paths"]

    async def test_gives_way_to_a_route_of_the_applications_own(self, settings: Settings) -> None:
        app = create_app(settings)
        assert isinstance(app, Application)

        @app.get("/")
        async def home() -> str:
            return "home"

        async with new_client(app) as client:
            assert (await client.get("/")).json() == "home"
            read_problem(await client.post("/"), 405, "METHOD_NOT_ALLOWED")
