"""No address, password or name makes a 5xx, and no answer repeats it."""

from typing import Any

import httpx
import pytest

from tests.contract.hostile_input.refusals import read_refusal, short
from tests.factories import PASSWORD
from tests.problems import CANARY, LOGIN, ME, REGISTER


class TestAccounts:
    @pytest.mark.parametrize(
        "email",
        [
            "", CANARY, f"{CANARY}@", f"@{CANARY}", f"{CANARY}@@example.com", "a b@example.com",
            f"{CANARY}\x00@example.com", "a@example.com\x00", "a@example.com\n",
            "a\r\n@example.com", "a@[127.0.0.1]", "a@xn--", "a@-example.com",
            "a@example..com", "a@.example.com", "<a@example.com>", "A <a@example.com>",
            "a@example.com, b@example.com", "\u202ea@example.com", "a@\u0378.com", "a@\u200d.com",
            "\U0010ffff@example.com", "a" * 250 + "@example.com", "a@" + "b" * 250 + ".com",
            "a@" + "a." * 126, "a" * 100_000, "a@" * 50_000, "@" * 254, "." * 254, 1, True, None,
            [], {}, ["a@example.com"],
        ],
        ids=short,
    )  # fmt: skip
    async def test_what_is_no_address_is_refused(
        self, client: httpx.AsyncClient, email: Any
    ) -> None:
        for url in (REGISTER, LOGIN):
            response = await client.post(url, json={"email": email, "password": PASSWORD})
            problem = read_refusal(response, PASSWORD, email if isinstance(email, str) else CANARY)
            assert [error["loc"] for error in problem["errors"]] == [["body", "email"]]

    @pytest.mark.parametrize(
        "email",
        ["\u0130" * 64 + "@" + "a" * 63 + "." + "b" * 61 + ".com", "\u0130@example.com", "ﬀ@ﬀ.com"],
        ids=ascii,
    )
    async def test_an_address_that_grows_in_lower_case_is_taken_or_named(
        self, client: httpx.AsyncClient, email: str
    ) -> None:
        response = await client.post(REGISTER, json={"email": email, "password": PASSWORD})
        if response.status_code != 201:
            problem = read_refusal(response, email)
            assert [error["loc"] for error in problem["errors"]] == [["body", "email"]]

    @pytest.mark.parametrize(
        "password",
        [
            "", "a", "a" * 14, "a" * 15, "a" * 257, "a" * 100_000, "\x00" * 20, " " * 20,
            "\ufdfa" * 256, "password1234567", "plinthplinthplinth", f"{CANARY}"[:10], 1, True,
            None, [], {}, [PASSWORD],
        ],
        ids=short,
    )  # fmt: skip
    async def test_a_bad_password_is_refused_unseen(
        self, client: httpx.AsyncClient, password: Any
    ) -> None:
        sent = {"email": "someone@example.com", "password": password}
        response = await client.post(REGISTER, json=sent)
        problem = read_refusal(response, password if isinstance(password, str) else PASSWORD)
        assert [error["loc"] for error in problem["errors"]] == [["body", "password"]]

    @pytest.mark.parametrize("password", ["\x00", "\U0010ffff" * 256, "' OR 1=1 --"], ids=short)
    async def test_an_odd_password_is_a_wrong_one(
        self, alice: httpx.AsyncClient, password: str
    ) -> None:
        response = await alice.post(
            LOGIN, json={"email": "alice@example.com", "password": password}
        )
        assert read_refusal(response, password)["error_code"] == "INVALID_CREDENTIALS"

    @pytest.mark.parametrize(
        "field",
        [
            "id", "is_superuser", "is_active", "email_verified_at", "password_hash", "version",
            "created_at", "deleted_at", "hashed_password", "__class__",
        ],
    )  # fmt: skip
    async def test_nobody_promotes_himself(self, alice: httpx.AsyncClient, field: str) -> None:
        before = (await alice.get(ME)).json()
        for value in (CANARY, True, None):
            sent = {"email": "new@example.com", "password": PASSWORD, field: value}
            for response in (
                await alice.post(REGISTER, json=sent),
                await alice.post(LOGIN, json=sent),
                await alice.patch(ME, json={field: value}),
            ):
                problem = read_refusal(response, PASSWORD)
                assert [error["loc"] for error in problem["errors"]] == [["body", field]]
        assert (await alice.get(ME)).json() == before

    @pytest.mark.parametrize(
        "name", ["", "\x00", f"{CANARY}\x00", "a" * 101, "a" * 100_000, 1, True, [], {}], ids=short
    )
    async def test_a_bad_display_name_is_refused(self, alice: httpx.AsyncClient, name: Any) -> None:
        before = (await alice.get(ME)).json()
        response = await alice.patch(ME, json={"display_name": name})
        problem = read_refusal(response, name if isinstance(name, str) else CANARY)
        assert [error["loc"] for error in problem["errors"]] == [["body", "display_name"]]
        assert (await alice.get(ME)).json() == before

    @pytest.mark.parametrize("field", ["email", "password"])
    async def test_nobody_changes_address_or_password_in_passing(
        self, alice: httpx.AsyncClient, field: str
    ) -> None:
        problem = read_refusal(await alice.patch(ME, json={field: f"{CANARY}@example.com"}))
        assert [error["loc"] for error in problem["errors"]] == [["body", field]]
