"""Runs a feature on two applications, and tells how the answers differ."""

import asyncio
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.compatibility.applications import OURS, Mode
from tests.compatibility.exchange import ACCEPTED, Answer, Exchange
from tests.compatibility.feature import Asked, Feature, Step
from tests.compatibility.rules import RULES, Rule

type MakeApp = Callable[..., FastAPI]
type Result = Answer | str
"""The answer to a request, or the text of anything else that a function returned or raised."""


@dataclass
class Outcome:
    """What came of a feature: what nothing allows, and the rules that allowed the rest."""

    wrong: list[str] = field(default_factory=list)
    rules: set[Rule] = field(default_factory=set)


SOCKET = Answer("WEBSOCKET", "", b"", "", ACCEPTED, {}, b"")


@cache
def outcome(feature: Feature, mode: Mode) -> Outcome:
    """Of ours beside FastAPI."""
    return compare(feature.name, _on_fastapi(feature), run(OURS[mode], feature), mode)


def compare(
    feature: str, stock: list[list[Result]], ours: list[list[Result]], mode: Mode
) -> Outcome:
    """By step: a request's one answer, or all that a function returned."""
    found = Outcome()
    rules = [each for each in RULES if each.covers(feature, mode)]
    for expected_all, got_all in zip(stock, ours, strict=True):
        expected_results: list[Result] = expected_all
        if len(got_all) == 1 and isinstance(got_all[0], Answer) and len(expected_all) > 1:
            expected_results = [_show(expected_all)]  # what came over a WebSocket
        if len(expected_results) != len(got_all):
            found.wrong.append(f"{_show(expected_results)}\n  but {_show(got_all)}")
            continue
        for expected, got in zip(expected_results, got_all, strict=True):
            if isinstance(expected, Answer):
                other = expected.said(got) if isinstance(got, str) else got
                _judge(Exchange(expected, other), rules, found, mode)
            elif isinstance(got, Answer):
                _judge(Exchange(got.said(expected), got), rules, found, mode)
            else:
                _judge(Exchange(SOCKET.said(expected), SOCKET.said(got)), rules, found, mode)
    return found


def _judge(exchange: Exchange, rules: list[Rule], found: Outcome, mode: Mode) -> None:
    differences = exchange.differences
    if mode >= Mode.SHAPED and exchange.stock.is_fastapis_error and not exchange.ours.is_problem:
        differences["shape"] = ("FastAPI's", "not that of a problem")
    left = set(differences)
    for rule in rules:
        if explained := rule.explains(exchange) & left:
            left -= explained
            found.rules.add(rule)
    if left:
        lines = [f"{exchange.stock.method} {exchange.stock.url}"]
        for name in sorted(left):
            expected, got = differences[name]
            lines += [f"  {name} on FastAPI: {expected}", f"  {name} on ours:    {got}"]
        found.wrong.append("\n".join(lines))


def _show(results: list[Result]) -> str:
    return ", ".join(str(each) for each in results)


@cache
def _on_fastapi(feature: Feature) -> list[list[Result]]:
    return run(FastAPI, feature)


def run(make_app: MakeApp, feature: Feature) -> list[list[Result]]:
    """What comes of each step on such an application."""
    app = make_app(**feature.options)
    feature.build(app)
    with asyncio.Runner() as runner:
        return [list(_results(_take(step, app, runner))) for step in feature.steps]


def _take(step: Step, app: FastAPI, runner: asyncio.Runner) -> Any:
    try:
        if isinstance(step, Asked):
            return runner.run(_ask(step, app))
        if inspect.iscoroutinefunction(step):
            return runner.run(_with_client(step, app))
        return step(TestClient(app, raise_server_exceptions=False))
    except Exception as error:  # noqa: BLE001 - what is raised is an answer too
        return f"{type(error).__name__}: {error}"


def _client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def _ask(step: Asked, app: FastAPI) -> httpx.Response:
    async with _client(app) as client:
        response = await client.request(step.method, step.path, **step.options)
        if response.status_code == 405 and step.method == "HEAD":
            response.extensions["get"] = await client.get(step.path, **step.options)
        return response


async def _with_client(step: Callable[[Any], Any], app: FastAPI) -> Any:
    async with _client(app) as client:
        return await step(client)


def _results(value: Any) -> Iterator[Result]:
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _results(each)
    elif isinstance(value, httpx.Response):
        yield Answer.of(value)
    else:
        yield json.dumps(value, default=repr)
