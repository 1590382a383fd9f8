from time import process_time

import httpx
import pytest

from tests.accounts.steps import EMAIL, USER_FIELDS, login, refused_fields, register

MARGARET = "margaret.hamilton@apollo-guidance.org"


class TestRegister:
    async def test_answers_the_user_and_no_secret(self, client: httpx.AsyncClient) -> None:
        response = await register(client, email="Carol@Example.COM", display_name="Carol")
        assert response.status_code == 201
        assert set(response.json()) == USER_FIELDS
        assert response.json()["email"] == EMAIL
        assert response.json()["is_superuser"] is False

    async def test_an_address_is_taken_in_any_case(self, client: httpx.AsyncClient) -> None:
        await register(client)
        response = await register(client, email=EMAIL.upper())
        assert response.status_code == 409
        assert response.json()["errors"][0]["loc"] == ["body", "email"]

    async def test_refuses_an_address_that_is_too_long_in_lower_case(
        self, client: httpx.AsyncClient
    ) -> None:
        email = f"{'İ' * 30}@{'.'.join(['d' * 60] * 3)}.com"
        response = await register(client, email=email)
        assert refused_fields(response) == [("email", "value_error")]

    async def test_an_address_is_the_same_in_any_unicode_form(
        self, client: httpx.AsyncClient
    ) -> None:
        forms = [f"{letter}@example.com" for letter in ("T\u0308", "t\u0308", "\u1e97")]
        assert (await register(client, email=forms[0])).json()["email"] == forms[2]
        assert [(await login(client, email=each)).status_code for each in forms] == [200] * 3
        assert (await register(client, email=forms[2])).status_code == 409

    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("hunter2", "password_too_short"),
            ("e\u0301" * 14, "password_too_short"),  # 14 characters once they are composed
            ("\ufdfa", "password_too_short"),  # one that becomes eighteen
            ("passwordpassword", "password_too_common"),
            ("123456789012345", "password_too_common"),
            ("aaaaaaaaaaaaaaaaaaaa", "password_too_common"),
            ("\u00e9" * 257, "password_too_long"),
            ("\u00e9" * 1025, "too_long"),
        ],
    )
    async def test_refuses_a_weak_password(
        self, client: httpx.AsyncClient, password: str, code: str
    ) -> None:
        response = await register(client, password=password)
        assert response.status_code == 422
        [error] = response.json()["errors"]
        assert (error["loc"], error["code"]) == (["body", "password"], code)
        assert password not in response.text

    @pytest.mark.parametrize(
        "password",
        [
            MARGARET,
            "margaret.hamilton",
            "Margaret.Hamilton1",
            "\uff2d\uff21\uff32\uff27\uff21\uff32\uff25\uff34 hamilton",
            "Hamilton, Margaret",
            "apollo-guidance.org",
            "apolloguidanceorg",
            "hamilton@apollo-guidance",
            "margaret-15031984",
            "plinthplinthplinth",
            "Plinth Plinth Plinth",
            "Plinth2026Plinth!",
            "myplinthpassword",
        ],
    )
    async def test_refuses_a_password_that_is_made_of_known_names(
        self, client: httpx.AsyncClient, password: str
    ) -> None:
        response = await register(client, email=MARGARET, password=password)
        assert refused_fields(response) == [("password", "password_too_common")]

    @pytest.mark.parametrize(
        "password",
        [
            "margaret and 7 silent lighthouses",
            "completely different organizations",
            "\u9a6c\u7535\u6c60\u8ba2\u4e66\u9488\u6b63\u786e\u7684\u7ea2\u8272\u6d77\u6d0b\u5929\u7a7a\u6708",
            "\U0001f40e\U0001f50b\U0001f4ce\u2705\U0001f3b7\U0001fa97\U0001f9f2\U0001f9e8\U0001fa81\U0001f9e9\U0001f6f7\U0001f3bf\U0001f3d3\U0001f94c\U0001f3b3",
        ],
        ids=ascii,
    )
    async def test_takes_a_password_with_more_to_it_than_a_name(
        self, client: httpx.AsyncClient, password: str
    ) -> None:
        assert (await register(client, email=MARGARET, password=password)).status_code == 201

    async def test_signs_that_stand_for_letters_take_no_time_to_judge(
        self, client: httpx.AsyncClient
    ) -> None:
        started = process_time()
        await register(client, password="4@8({[<361!|05$+7%29" * 4)
        assert process_time() - started < 1  # it took three seconds

    async def test_a_role_cannot_be_claimed(self, client: httpx.AsyncClient) -> None:
        response = await register(client, is_superuser=True)
        assert response.status_code == 422
