"""What types of values become in JSON."""

from collections import deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr

from tests.compatibility.feature import feature, get, post

MOMENT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Values(BaseModel):
    moment: datetime = MOMENT
    day: date = MOMENT.date()
    hour: time = time(12, 30)
    period: timedelta = timedelta(days=1, seconds=1.5)
    id: UUID = UUID("0198f3c2-7b1e-7d30-8f11-0a5e4f0c1d2e")
    price: Decimal = Decimal("12.50")
    raw: bytes = b"raw"
    color: Color = Color.RED
    level: Level = Level.LOW
    secret: SecretStr = SecretStr("hidden")
    address: IPv4Address = IPv4Address("127.0.0.1")
    unique: frozenset[int] = frozenset({1})


@feature(
    "JSON of values: dates, UUIDs, decimals, bytes, enums and more",
    get("/model"),
    get("/dict"),
    get("/encoder"),
    post("/model", json={"moment": "2026-01-05T12:00:00+01:00", "period": "P1D", "price": "1.10"}),
    post("/model", json={"id": "x", "raw": 1, "color": "blue", "level": 2, "address": "x"}),
    post("/aware", json={"moment": "2026-01-05T12:00:00"}),
)
def values(app: FastAPI) -> None:
    class Aware(BaseModel):
        moment: AwareDatetime

    @app.get("/model")
    async def model() -> Values:
        return Values()

    @app.get("/dict")
    async def dict_():
        return {
            **{name: getattr(Values(), name) for name in Values.model_fields},
            "path": PurePosixPath("a/b"),
            "queue": deque([1]),
            "generator": (each for each in (1, 2)),
            "keys": {1: "int", None: "none", Color.RED: "enum"},
        }

    @app.get("/encoder")
    async def encoder():
        return JSONResponse(jsonable_encoder(Values(), exclude={"raw"}))

    @app.post("/model")
    async def take(value: Values) -> Values:
        return value

    @app.post("/aware")
    async def aware(value: Aware) -> Aware:
        return value


@feature(
    "JSON of values: non-finite floats",
    get("/typed"),
    get("/untyped"),
    get("/response"),
    get("/constants"),
)
def non_finite(app: FastAPI) -> None:
    class Constants(BaseModel):
        model_config = ConfigDict(ser_json_inf_nan="constants")

        value: float

    @app.get("/typed")
    async def typed() -> list[float]:
        return [float("nan"), float("inf"), 1.0]

    @app.get("/untyped")
    async def untyped():
        return {"value": float("-inf")}

    @app.get("/response")
    async def response():
        return JSONResponse({"value": float("nan")})

    @app.get("/constants")
    async def constants() -> Constants:
        return Constants(value=float("nan"))


@feature(
    "JSON of values: bytes as base64",
    post("/", json={"data": "aGVsbG8="}),
    post("/", json={"data": "!"}),
    get("/openapi.json"),
)
def base64_bytes(app: FastAPI) -> None:
    class Data(BaseModel):
        model_config = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")

        data: bytes

    @app.post("/")
    async def take(value: Data) -> dict[str, Data | int]:
        return {"same": value, "size": len(value.data)}


@feature(
    "JSON of values: what cannot be serialized",
    get("/untyped"),
    get("/any"),
)
def not_serializable(app: FastAPI) -> None:
    class Opaque:
        __slots__ = ()

    @app.get("/untyped")
    async def untyped():
        return {"value": Opaque()}

    @app.get("/any")
    async def any_() -> dict[str, Any]:
        return {"value": object}
