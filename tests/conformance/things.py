"""What a user has of one resource, and how a test asks for it."""

from itertools import count, cycle
from typing import Any, Literal

import httpx
import pytest

from app.database.connections import Database
from tests.conformance.resources import Resource, resource_of
from tests.conformance.shapes import Field
from tests.conformance.values import value
from tests.factories import create_user

type Row = dict[str, Any]
type Page = dict[str, Any]

MISSING = "0198f3c2-0000-7000-8000-000000000000"

_numbers = count(1)


class Things:
    def __init__(self, resource: Resource, client: httpx.AsyncClient, database: Database) -> None:
        self.resource = resource
        self.client = client
        self._database = database
        self._parents: dict[str, list[str]] = {}

    async def send(self, route: str, id: str = "", **request: Any) -> httpx.Response:
        """`route` as the resource names it: `PATCH /{id}`."""
        method, _, rest = route.partition(" ")
        if self.resource.demands_if_match(route):
            request["headers"] = {"If-Match": "*"} | request.get("headers", {})
        path = self.resource.path + rest.replace("{id}", id)
        return await self.client.request(method, path, **request)

    async def body(self, **fields: Any) -> Row:
        """The JSON of a row that can be created: every field, each with a value of its own."""
        n = next(_numbers)
        found = {name: await self._value(each, n) for name, each in self.resource.fields.items()}
        return found | fields

    async def bodies(self, number: int) -> list[Row]:
        return [await self.body() for _ in range(number)]

    async def required(self) -> Row:
        """The JSON of a row without anything that may be left out."""
        n, fields = next(_numbers), self.resource.fields.items()
        return {name: await self._value(each, n) for name, each in fields if each.required}

    async def create(self, body: Row | None = None) -> Row:
        response = await self.send("POST", json=await self.body() if body is None else body)
        assert response.status_code == 201, response.text
        row: Row = response.json()
        return row

    async def create_many(self, bodies: list[Row]) -> None:
        if "POST /bulk" in self.resource.routes:
            response = await self.send("POST /bulk", json={"items": bodies})
            assert response.status_code == 201, response.text
        else:
            for body in bodies:
                await self.create(body)

    async def delete(self, row: Row) -> None:
        assert (await self.send("DELETE /{id}", row["id"])).status_code == 204

    async def deleted(self, body: Row | None = None) -> Row:
        """A row in the bin, as it was before."""
        row = await self.create(body)
        await self.delete(row)
        return row

    async def varied(self) -> list[Row]:
        """Rows with equal values and NULLs among them, created in no order of their values."""
        numbers = [next(_numbers) for _ in range(8)]
        bodies = []
        for at in range(8):
            place = at * 3 % 8
            body = {}
            for name, each in self.resource.fields.items():
                n = numbers[place] if name in self.resource.unique else place // 2
                empty = each.nullable and at % 3 == 2
                body[name] = None if empty else await self._value(each, n)
            bodies.append(body)
        await self.create_many(bodies[:3])
        await self.create_many(bodies[3:])
        rows = await self.rows()
        if "PATCH /{id}" in self.resource.routes:
            await self.send("PATCH /{id}", rows[1]["id"], json=await self.change(rows[1]))
        return await self.rows()

    async def change(self, row: Row) -> Row:
        """A patch that gives the row another value, of what is unique only at need."""
        for name, field in self.resource.changes.items():
            for _ in range(2):
                changed = await self._value(field, next(_numbers))
                if changed != row[name]:
                    return {name: changed}
        pytest.skip(f"nothing of {self.resource} can be changed")

    async def read(self, row: Row) -> Row:
        """The row as it is now, be it in the bin."""
        [found] = [each for each in await self.rows(deleted="include") if each["id"] == row["id"]]
        return found

    async def page(self, **query: Any) -> Page:
        response = await self.send("GET", params=query)
        assert response.status_code == 200, response.text
        page: Page = response.json()
        return page

    async def rows(self, **query: Any) -> list[Row]:
        """Up to a hundred, in the order of their creation unless another is asked for."""
        query = {"size": 100, "order_by": "created_at"} | query
        items: list[Row] = (await self.page(**query))["items"]
        return items

    async def ids(self, **query: Any) -> list[str]:
        return [row["id"] for row in await self.rows(**query)]

    async def walk(
        self, page: Page, to: Literal["next_cursor", "previous_cursor"], **query: Any
    ) -> list[Page]:
        """The pages on one side of this one, of changing sizes."""
        found: list[Page] = []
        sizes = cycle([1, 3, 2])
        while page[to] is not None:
            page = await self.page(cursor=page[to], size=next(sizes), **query)
            found.append(page)
        return found

    async def _value(self, field: Field, n: int) -> Any:
        if field.reference is None:
            return value(field.shape, n)
        if field.reference == self.resource.table.name:
            return None  # the first one has none to refer to
        known = self._parents.setdefault(field.reference, [])
        if field.name in self.resource.unique:
            return await self._parent(field.reference)
        while len(known) < 2:
            known.append(await self._parent(field.reference))
        return known[n % 2]

    async def _parent(self, table: str) -> str:
        if table == "users":
            return str((await create_user(self._database, f"{next(_numbers)}@example.com")).id)
        parents = Things(resource_of(table), self.client, self._database)
        parent: str = (await parents.create(await parents.required()))["id"]
        return parent


def ids(page: Page) -> list[str]:
    return [row["id"] for row in page["items"]]
