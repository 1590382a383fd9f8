"""Why no connection is to be had, for whoever mends it: one line, which names the setting."""

import socket

from sqlalchemy import URL, make_url

# By SQLSTATE or its class: what to do. The server has answered, and will answer so again.
REFUSALS = {
    "28": "correct its user and password, or the rules of the server (pg_hba.conf)",
    "3D000": "create that database, or name another one",
    "42501": "give its role this right, or name another role",
}


class Unreachable(Exception):
    """The message has no password. `is_final`: it will be the same until somebody mends it."""

    explains_itself = True

    def __init__(self, message: str, *, is_final: bool) -> None:
        super().__init__(message)
        self.is_final = is_final


def unreachable(error: BaseException, url: URL | str) -> Unreachable:
    """The reason, from what the driver or SQLAlchemy raised on connecting to the URL."""
    driver = getattr(error, "driver_exception", None) or getattr(error, "orig", None) or error
    state = getattr(driver, "sqlstate", None) or ""
    said = (str(driver).splitlines() or [""])[0]
    remedy = REFUSALS.get(state) or REFUSALS.get(state[:2])
    if remedy:
        return Unreachable(f"DATABASE_URL: {said}: {remedy}", is_final=True)
    parts = make_url(url)
    server = f"{parts.host or 'localhost'}:{parts.port or 5432}"
    if isinstance(driver, socket.gaierror):
        said = f"the host of {server} is not known"
        return Unreachable(f"DATABASE_URL: {said}: correct it, or its DNS", is_final=False)
    if isinstance(driver, TimeoutError):
        said = "no answer in time"
    elif isinstance(driver, ConnectionRefusedError):
        said = "the connection is refused"
    return Unreachable(
        f"DATABASE_URL: {server}: {said or type(driver).__name__}: start that PostgreSQL, or "
        "correct host and port",
        is_final=False,
    )
