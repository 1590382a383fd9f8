"""What is asked for. Each answer is compared with the database before anything is measured."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from bench.contender import Contender
from bench.dataset import Dataset
from bench.facts import Facts, item
from bench.http import Api, raw
from bench.load import NUMBER
from bench.settings import ITEMS, PAGE_SIZE

BIGGEST_PAGE = 100  # for the walk to where W4 begins


class WrongAnswerError(Exception):
    """A contender's answer is not what the database holds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The requests of a workload, to be sent in turn; numbered ones differ each time."""

    requests: list[str]
    status: int = 200
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a workload needs to ask one contender."""

    contender: Contender
    api: Api
    data: Dataset
    facts: Facts
    connection: "asyncpg.Connection[Any]"

    def page(self, query: str, before: int) -> Any:
        """The answer to a list, whose items are those that have `before` rows before them."""
        path = f"{ITEMS}?{self.contender.list_query}{query}"
        status, answer = self.api.get(path, self.data.reader_token)
        self.require(status == 200, status, answer)
        found = [item(each) for each in answer[self.contender.items]]
        self.require(found == self.facts.pages[before], "items", answer)
        return answer

    def list(self, query: str) -> Plan:
        path = f"{ITEMS}?{self.contender.list_query}{query}"
        return Plan([raw("GET", path, self.data.reader_token)])

    def require(self, right: bool, what: object, answer: Any) -> None:  # noqa: FBT001 - an assert
        if not right:
            raise WrongAnswerError(f"{self.contender.name}: {what}: {str(answer)[:1000]}")


async def get_one(scene: Scene) -> Plan:
    for sample in scene.facts.samples[:3]:
        status, answer = scene.api.get(f"{ITEMS}/{sample['id']}", scene.data.reader_token)
        scene.require(status == 200 and item(answer) == sample, status, answer)
    status, answer = scene.api.get(f"{ITEMS}/{sample['id']}", scene.data.reader_token[:-1])
    scene.require(status in {401, 403}, "a wrong token", answer)
    path = f"{ITEMS}/{scene.facts.somebody_elses}"
    status, answer = scene.api.get(path, scene.data.reader_token)
    scene.require(status in {403, 404}, "somebody else's item", answer)
    paths = [f"{ITEMS}/{each['id']}" for each in scene.facts.samples]
    return Plan([raw("GET", path, scene.data.reader_token) for path in paths])


async def list_page(scene: Scene) -> Plan:
    query = "&total=exact" if scene.contender.can_skip_total else ""
    answer = scene.page(query, before=0)
    scene.require(answer[scene.contender.total] == scene.facts.total, "total", answer)
    return scene.list(query)


async def list_by_cursor(scene: Scene) -> Plan | None:
    if not scene.contender.has_cursors:
        return None
    cursor = scene.page("&total=none", before=0)["next_cursor"]
    query = f"&total=none&cursor={cursor}"
    scene.page(query, before=PAGE_SIZE)
    return scene.list(query)


async def list_deep_by_cursor(scene: Scene) -> Plan | None:
    if not scene.contender.has_cursors:
        return None
    query = "&total=none"
    bigger = scene.contender.list_query.replace(f"size={PAGE_SIZE}", f"size={BIGGEST_PAGE}")
    for _ in range(scene.facts.depth // BIGGEST_PAGE):
        path = f"{ITEMS}?{bigger}{query}"
        status, answer = scene.api.get(path, scene.data.reader_token)
        scene.require(status == 200, status, answer)
        query = f"&total=none&cursor={answer['next_cursor']}"
    scene.page(query, before=scene.facts.depth)
    return scene.list(query)


async def list_deep_by_page(scene: Scene) -> Plan | None:
    if not scene.contender.can_skip_total:
        return None
    query = f"&total=none&page={scene.facts.page_depth // PAGE_SIZE + 1}"
    scene.page(query, before=scene.facts.page_depth)
    return scene.list(query)


async def post_one(scene: Scene) -> Plan:
    def body(number: str) -> str:
        return orjson.dumps(new | {"sku": f"{scene.contender.name}-{number}"}).decode()

    new = {
        "name": "A new item",
        "description": "What there is to say of a new item, in a line",
        "price": "12.34",
        "quantity": 5,
        "status": "active",
    }
    status, answer = scene.api.post(ITEMS, scene.data.writer_token, body("first"))
    scene.require(status == 201, status, answer)
    row = await scene.connection.fetchrow("SELECT * FROM items WHERE id = $1", answer["id"])
    scene.require(row is not None, "not there after 201", answer)
    scene.require(row is not None and item(row) == item(answer), "another row", answer)
    request = raw("POST", ITEMS, scene.data.writer_token, body(NUMBER.decode()))
    return Plan([request], status=201, numbered=True)


type Prepare = Callable[[Scene], Awaitable[Plan | None]]

WORKLOADS: dict[str, tuple[str, Prepare]] = {
    "W1": ("GET one by id, session token checked in the database", get_one),
    "W2": ("list: two filters, order, 50 rows, exact total", list_page),
    "W3": ("the same list by cursor, no total", list_by_cursor),
    "W4": ("the same list, deep, by cursor", list_deep_by_cursor),
    "W4p": ("the same list, deep, by page number, no total", list_deep_by_page),
    "W5": ("POST one, 201 after COMMIT, token checked", post_one),
}
