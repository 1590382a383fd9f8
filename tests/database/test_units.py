"""Units of work that a router opens by itself."""

from fastapi.requests import HTTPConnection
from sqlalchemy import func, select

from app.dependencies import get_units
from app.main import Application
from tests.database.library import Author


async def test_each_is_a_transaction_of_the_applications_database(
    app: Application, library: object
) -> None:
    assert library is app.database
    for kind in ("http", "websocket"):
        units = await get_units(HTTPConnection({"type": kind, "app": app}))
        async with units() as work:
            work.session().add(Author(name=kind))
        async with units() as work:
            names = await work.session().scalars(select(Author.name).where(Author.name == kind))
            assert names.all() == [kind]
    async with units() as work:
        assert await work.session().scalar(select(func.count(Author.id))) == 2
