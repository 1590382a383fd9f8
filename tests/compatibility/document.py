"""Makes docs/compatibility.md of what the features show.

`uv run python -m tests.compatibility.document` writes it.
"""

import logging
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import structlog

from tests.compatibility.applications import Mode, Plain
from tests.compatibility.compare import outcome
from tests.compatibility.feature import Feature, all_features
from tests.compatibility.rules import RULES
from tests.compatibility.ways import ways

DOCUMENT = Path(__file__).parents[2] / "docs" / "compatibility.md"
EVERYWHERE = {"Headers", "Error shape"}  # not named beside each feature
HEAD = """\
# What is as in FastAPI

Code that is written for FastAPI gives the same answers here: the same status, the same headers and
the same bytes. {features} features of FastAPI's user guide are built alike on FastAPI and on ours,
and both get the same {requests} requests. All differences are on this page; any other fails a test.
The tests make the page: `uv run python -m tests.compatibility.document`.

FastAPI's own test suite runs with our application in FastAPI's place, too:
`tests/compatibility/fastapi_suite.sh` takes a copy of it.

## Differences

{rules}What no feature shows:

* **Limits.** A head over 64 KiB, two `Authorization` headers, and a `Content-Length` that is no
  number are a 400, a body over `MAX_BODY_SIZE` a 413, and a request that takes longer than
  `REQUEST_TIMEOUT` a 503; too many of a user or an address are a 429.
* **Strict JSON.** In a strict API, bodies are validated as JSON, not as Python's values: of
  `date | str`, a date in text becomes a date, and strict types take an enum's value or a UUID's
  text. A number with more digits than a float can hold is a 422; more than 64 levels, another
  encoding than UTF-8 and half of a surrogate pair are a 400.
* **WebSockets** take origins as requests do, and the sub-protocol `plinth`:
  [WebSockets](websockets.md).
* **Routes that are taken away** from `app.router.routes` after the first request stay; those that
  are added are found.
* **Sessions** end with the unit of work: `close()` does nothing, and an isolation level is set by
  the first statement, not by an option.

The OpenAPI document of `create_app` says more than FastAPI's: the errors and the headers of
each route.

## Features

A route goes the fast way where the engine knows all of its parts, and FastAPI's own way otherwise.
Nothing depends on it but what a request costs; `uv run app routes --why` tells it of each route.
`fast` and `FastAPI's` stand for all routes of a feature, `both` for some of each. The last column
names the differences above that the feature shows, but for headers and the shape of errors.

"""
MODES = {
    Mode.PLAIN: "For every route:",
    Mode.SHAPED: "Where errors have the one shape, which is so unless an API renders its own:",
    Mode.STRICT: "In a strict API, such as `/api/v1`:",
}


def document() -> str:
    features = all_features()
    requests = sum(len(each.steps) for each in features)
    text = HEAD.format(features=len(features), requests=f"{requests:,}", rules=_rules())
    for title, group in groupby(features, lambda each: each.page):
        text += f"### {title}\n\n| feature | way | kept from the fast way | differences |\n"
        text += "|---|---|---|---|\n" + "".join(map(_row, group)) + "\n"
    return text.rstrip() + "\n"


def _rules() -> str:
    text = ""
    for mode, heading in MODES.items():
        lines = [f"* **{each.name}.** {each.reason}" for each in RULES if each.mode is mode]
        text += heading + "\n\n" + "\n".join(lines) + "\n\n"
    return text


def _row(feature: Feature) -> str:
    app = Plain(**feature.options)
    feature.build(app)
    found = list(ways(app).values())
    slow = [each for each in found if each]
    way = "both" if 0 < len(slow) < len(found) else "FastAPI's" if slow else "fast"
    cells = [
        feature.name,
        way,
        "; ".join(sorted({why for each in slow for why in each})),
        ", ".join(_shown(feature)),
    ]
    return "| " + " | ".join(cells) + " |\n"


def _shown(feature: Feature) -> Iterator[str]:
    """The differences that it shows in any mode, in the order of the rules."""
    rules = {rule for mode in Mode for rule in outcome(feature, mode).rules}
    return (each.name for each in RULES if each in rules and each.name not in EVERYWHERE)


if __name__ == "__main__":
    silence = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silence)  # some features fail on purpose
    DOCUMENT.write_text(document())
