from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.accounts import outbox
from app.accounts.outbox import TEMPLATES
from app.core.types import Email

MAILS = [each.stem for each in (Path(outbox.__file__).parent / "mails").glob("*.txt")]
EMAIL = TypeAdapter[str](Email)
LOCAL_PARTS = st.one_of(
    st.text("abcdefghijklmnopqrstuvwxyzABC0123456789.!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=64),
    st.text(min_size=1, max_size=20),
    st.builds("=?utf-8?{}?{}?=".format, st.sampled_from("qQbB"), st.text("aZ=_09/+", max_size=40)),
)
ADDRESSES = st.builds(
    "{}@{}".format, LOCAL_PARTS, st.sampled_from(["example.com", "b\u00fccher.de"])
)
EVIL = [
    "=?utf-8?q?bob=40evil.example?=@example.com",
    "=?utf-8?b?Ym9iQGV2aWwuZXhhbXBsZQ==?=@example.com",
    "=?utf-8?q?=0D=0ABcc:_bob?=@example.com",
    "a=?utf-8?q?b?=@example.com",
    "=?@example.com",
]


def accepted(address: str) -> str | None:
    try:
        return EMAIL.validate_python(address)
    except ValidationError:
        return None


@pytest.mark.parametrize("address", EVIL)
def test_an_encoded_word_is_no_address(address: str) -> None:
    assert accepted(address) is None


@settings(deadline=None)  # the machine may be busy
@given(ADDRESSES)
@example("a+b=c?d@example.com")
@example("\u00fc@example.com")
def test_every_mail_goes_to_the_address_and_nowhere_else(address: str) -> None:
    email = accepted(address)
    if email is None:
        return
    for name in MAILS:
        message = TEMPLATES.write(
            name, sender="Plinth <no-reply@example.com>", to=email, how="open this link", token="t"
        )
        sent = message.as_bytes(policy=policy.SMTPUTF8)
        read = message_from_bytes(sent, policy=policy.SMTPUTF8, _class=EmailMessage)
        for each in (message, read):
            [found] = each["To"].addresses
            # The parser leaves the bytes of what is not ASCII as they are.
            told = f"{found.username}@{found.domain}".encode("utf-8", "surrogateescape")
            assert told.decode() == email
            assert len(each.get_all("To", [])) == 1
            assert "Bcc" not in each
    assert len(MAILS) == 5


@pytest.mark.parametrize(
    ("sender", "product"),
    [("Acme <no-reply@example.com>", "Acme"), ("no-reply@example.com", "example.com")],
)
def test_every_mail_names_the_product(sender: str, product: str) -> None:
    for name in MAILS:
        message = TEMPLATES.write(name, sender=sender, to="ada@example.com", how="open", token="t")
        assert product in message["Subject"]
        assert product in str(message.get_body(("plain",)))
