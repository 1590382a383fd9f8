"""Mail that a test can read."""

from email.message import EmailMessage


class Mailbox:
    """A mailer that keeps what it is to send."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def send(self, message: EmailMessage) -> None:
        self.messages.append(message)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The template and the address of each mail."""
        return [(each["X-Template"], each["To"]) for each in self.messages]

    @property
    def tokens(self) -> list[str]:
        """What each mail that has a token wants to be sent back."""
        return [token_in(each) for each in self.messages if "\n    " in text_of(each)]

    def token(self) -> str:
        return self.tokens[-1]


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def token_in(message: EmailMessage) -> str:
    [token] = [line.strip() for line in text_of(message).splitlines() if line.startswith("    ")]
    return token
