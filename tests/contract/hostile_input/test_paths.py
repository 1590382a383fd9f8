"""No path makes a 5xx, and no answer repeats it."""

import httpx
import pytest

from tests.contract.hostile_input.refusals import Ask, read_refusal, short
from tests.factories import create_lamps
from tests.problems import CANARY, LAMPS, NO_LAMP

SURROGATE = chr(0xD800)


class TestPaths:
    @pytest.mark.parametrize(
        "id",
        [
            "1", "0", "-1", "null", "None", "me", CANARY, "\x00", f"{NO_LAMP}\x00",
            f"\x00{NO_LAMP}", f"{NO_LAMP}\n", f" {NO_LAMP}", f"{NO_LAMP} ", f"{NO_LAMP}0",
            NO_LAMP[:-1], NO_LAMP.replace("-", ""), f"{{{NO_LAMP}}}", f"urn:uuid:{NO_LAMP}",
            f"uuid:{NO_LAMP}", NO_LAMP.replace("-", "_"), NO_LAMP.replace("0", "g"),
            "\uff10" * 8 + NO_LAMP[8:], "\u0660" * 8 + NO_LAMP[8:], NO_LAMP.replace("-", "--", 1),
            SURROGATE, "\ufffd", "\u202e", "\U0001f4a5", "..", ".", "%00",
            "%ff", "'", "' OR 1=1 --", "<script>", "\r\nX-Injected: 1", "a" * 100_000,
            ";", "?", "#", "*", "\\", "1" * 5000,
        ],
        ids=short,
    )  # fmt: skip
    async def test_what_is_no_id_is_refused(self, ask: Ask, id: str) -> None:
        problem = read_refusal(await ask("GET", f"{LAMPS}/{id}"), id.strip())
        assert problem["status"] == 422
        assert problem["errors"][0]["loc"] == ["path", "lamp_id"]

    @pytest.mark.parametrize("id", ["\x00", SURROGATE, CANARY, NO_LAMP.replace("-", "")], ids=short)
    @pytest.mark.parametrize(
        ("method", "end"), [("PATCH", ""), ("DELETE", ""), ("POST", "/restore")]
    )
    async def test_so_it_is_for_every_verb(self, ask: Ask, method: str, end: str, id: str) -> None:
        headers = [(b"content-type", b"application/json")]
        response = await ask(method, f"{LAMPS}/{id}{end}", headers=headers, body=b"{}")
        assert read_refusal(response, id)["status"] == 422

    @pytest.mark.parametrize(
        "path",
        [
            "", "//", "x", "*", "/api", "/api/v1", "/api/v1/", "/api/v2/lamps",
            "/API/v1/lamps", "/api/v1/Lamps", "//api/v1/lamps", "/api//v1/lamps", "/api/v1//lamps",
            f"{LAMPS}//", f"{LAMPS}/{NO_LAMP}/", f"{LAMPS}/{NO_LAMP}/{CANARY}", f"{LAMPS}//restore",
            "/api/v1/lamps/../users/me", "/api/v1/./lamps", "/api/v1/user", f"/{CANARY}\x00",
            f"/{SURROGATE}", "/.env", "/.git/config", "/docs/", "/redoc/", "/docs/assets",
            "/docs/assets/", "/docs/assets/../docs.py", "/docs/assets//etc/passwd",
            "/docs/assets/\x00", "/docs/assets/..\\x", "/docs/assets/" + "a" * 5000,
            "/docs/assets/" + "a/" * 5000, "/docs/assets/favicon.png/x", "/docs/oauth2-redirect",
            "/openapi.yaml", "/" + "a" * 100_000, "/a" * 40_000, "/health", "/health/", "/metrics",
        ],
        ids=short,
    )  # fmt: skip
    async def test_what_is_no_path_is_not_found(self, ask: Ask, path: str) -> None:
        assert read_refusal(await ask("GET", path))["status"] == 404

    @pytest.mark.parametrize("slash", ["%2F", "%2f"])
    async def test_an_encoded_slash_leads_to_no_other_route(
        self, alice: httpx.AsyncClient, slash: str
    ) -> None:
        [created] = await create_lamps(alice, {})
        path = f"{LAMPS}/{created['id']}"
        assert (await alice.delete(path)).status_code == 204
        assert read_refusal(await alice.post(f"{path}{slash}restore"))["status"] == 404
        assert read_refusal(await alice.get(f"{LAMPS}{slash}{created['id']}"))["status"] == 404
        assert (await alice.get(path)).status_code == 404
        assert (await alice.post(f"{path}/restore")).status_code == 200
