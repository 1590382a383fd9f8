"""The user guide's pages on path parameters, and the order of paths."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

from fastapi import FastAPI, Path
from pydantic import BaseModel

from tests.compatibility.feature import feature, get, post, put


class Color(str, Enum):  # noqa: UP042 - as the user guide writes it
    RED = "red"
    LIGHT_BLUE = "light blue"


class Coordinates(BaseModel):
    x: int
    y: Annotated[int, Path(ge=0)] = 0


@feature(
    "Path parameters: text",
    get("/items/foo"),
    get("/items/foo%20bar"),
    get("/items/%C3%A9t%C3%A9"),
    get("/items/a%2Fb"),
    get("/items/"),
    get("/items/a/b"),
    get("/items/a%0A"),
    get("/items%0A"),
    get("/items/a%FF"),
    get("/Items/foo"),
    post("/items/foo"),
)
def text(app: FastAPI) -> None:
    @app.get("/items/{item_id}")
    async def read_item(item_id: str):
        return {"item_id": item_id}


@feature(
    "Path parameters: types",
    get("/int/3"),
    get("/int/3.0"),
    get("/int/three"),
    get("/int/-3"),
    get("/int/%20"),
    get("/int/99999999999999999999999"),
    get("/float/1.5"),
    get("/float/nan"),
    get("/float/x"),
    get("/bool/yes"),
    get("/bool/2"),
    get("/uuid/0198f3c2-7b1e-7d30-8f11-0a5e4f0c1d2e"),
    get("/uuid/0198f3c27b1e7d308f110a5e4f0c1d2e"),
    get("/uuid/1"),
    get("/decimal/1.10"),
    get("/decimal/x"),
)
def types(app: FastAPI) -> None:
    @app.get("/int/{value}")
    async def read_int(value: int):
        return value

    @app.get("/float/{value}")
    async def read_float(value: float):
        return str(value)

    @app.get("/bool/{value}")
    async def read_bool(value: bool):
        return value

    @app.get("/uuid/{value}")
    async def read_uuid(value: UUID):
        return value

    @app.get("/decimal/{value}")
    async def read_decimal(value: Decimal):
        return value


@feature(
    "Path parameters: enums and literals",
    get("/colors/red"),
    get("/colors/light%20blue"),
    get("/colors/green"),
    get("/sizes/s"),
    get("/sizes/xl"),
)
def enums(app: FastAPI) -> None:
    @app.get("/colors/{color}")
    async def read_color(color: Color):
        return {"color": color, "is_red": color is Color.RED}

    @app.get("/sizes/{size}")
    async def read_size(size: Literal["s", "m"]):
        return size


@feature(
    "Path parameters: Path() with numeric and text validations",
    get("/items/1"),
    get("/items/0"),
    get("/items/1001"),
    get("/words/ab"),
    get("/words/a"),
    get("/words/AB"),
    get("/aliased/5"),
    get("/aliased/x"),
    get("/old/4"),
    get("/old/3"),
)
def validations(app: FastAPI) -> None:
    @app.get("/items/{item_id}")
    async def read_item(item_id: Annotated[int, Path(title="The id", gt=0, le=1000)]):
        return item_id

    @app.get("/words/{word}")
    async def read_word(word: Annotated[str, Path(min_length=2, pattern="^[a-z]+$")]):
        return word

    @app.get("/aliased/{itemId}")
    async def read_aliased(item_id: Annotated[int, Path(alias="itemId")]):
        return item_id

    @app.get("/old/{value}")
    async def read_old(*, value: int = Path(multiple_of=2)):
        return value


@feature(
    "Path parameters: the path convertor",
    get("/files/a.txt"),
    get("/files/home/user/a.txt"),
    get("/files//etc/passwd"),
    get("/files/"),
    get("/files/a%2Fb/c"),
    get("/edit/a/b/c/now"),
    get("/edit/now"),
)
def path_convertor(app: FastAPI) -> None:
    @app.get("/files/{file_path:path}")
    async def read_file(file_path: str):
        return {"file_path": file_path}

    @app.get("/edit/{file_path:path}/now")
    async def edit_file(file_path: str):
        return {"edit": file_path}


@feature(
    "Path parameters: int, float and uuid convertors",
    get("/i/5"),
    get("/i/x"),
    get("/i/-5"),
    get("/f/1.5"),
    get("/f/x"),
    get("/u/0198f3c2-7b1e-7d30-8f11-0a5e4f0c1d2e"),
    get("/u/x"),
    get("/either/5"),
    get("/either/five"),
)
def convertors(app: FastAPI) -> None:
    @app.get("/i/{value:int}")
    async def read_int(value: int):
        return value

    @app.get("/f/{value:float}")
    async def read_float(value: float):
        return value

    @app.get("/u/{value:uuid}")
    async def read_uuid(value: UUID):
        return value

    @app.get("/either/{value:int}")
    async def read_number(value: int):
        return {"number": value}

    @app.get("/either/{value}")
    async def read_word(value: str):
        return {"word": value}


@feature(
    "Path parameters: a parameter within a segment",
    get("/export/7.csv"),
    get("/export/7.json"),
    get("/export/x.csv"),
    get("/range/1-5"),
    get("/range/1"),
    get("/@ada"),
    get("/ada"),
)
def within_a_segment(app: FastAPI) -> None:
    @app.get("/export/{report_id}.csv")
    async def export(report_id: int):
        return {"csv": report_id}

    @app.get("/range/{first}-{last}")
    async def read_range(first: int, last: int):
        return [first, last]

    @app.get("/@{name}")
    async def read_profile(name: str):
        return {"name": name}


@feature(
    "Path parameters: several in one path",
    get("/users/3/items/foo"),
    get("/users/x/items/foo"),
    get("/users/3/items"),
    get("/users//items/foo"),
)
def several(app: FastAPI) -> None:
    @app.get("/users/{user_id}/items/{item_id}")
    async def read_item(item_id: str, user_id: int):
        return {"user_id": user_id, "item_id": item_id}


@feature(
    "Path parameters: not asked for by the endpoint",
    get("/items/3"),
)
def not_asked_for(app: FastAPI) -> None:
    @app.get("/items/{item_id}")
    async def read_item():
        return {}


@feature(
    "Path parameters: a model",
    get("/points/1/2"),
    get("/points/1/-2"),
    get("/points/a/b"),
)
def model(app: FastAPI) -> None:
    @app.get("/points/{x}/{y}")
    async def read_point(point: Annotated[Coordinates, Path()]):
        return point


@feature(
    "Order of paths: the first that fits",
    get("/users/me"),
    get("/users/3"),
    get("/teams/me"),
    get("/teams/x"),
    get("/same"),
    get("/a/b"),
    get("/a/x"),
    get("/x/b"),
)
def order(app: FastAPI) -> None:
    @app.get("/users/{user_id}")
    async def read_user(user_id: str):
        return {"user_id": user_id}

    @app.get("/users/me")
    async def read_me():
        return {"me": True}

    @app.get("/teams/me")
    async def read_my_team():
        return {"mine": True}

    @app.get("/teams/{team_id}")
    async def read_team(team_id: int):
        return {"team_id": team_id}

    @app.get("/same")
    async def first():
        return 1

    @app.get("/same")
    async def second():
        return 2

    @app.get("/a/{last}")
    async def read_last(last: str):
        return {"last": last}

    @app.get("/{first}/b")
    async def read_first(first: str):
        return {"first": first}


@feature(
    "Order of paths: methods apart",
    get("/items/special"),
    post("/items/special"),
    put("/items/special"),
    put("/items/other"),
    post("/items/other"),
)
def methods_apart(app: FastAPI) -> None:
    @app.get("/items/special")
    async def read_special():
        return "special"

    @app.post("/items/{name}")
    async def create(name: str):
        return {"created": name}

    @app.put("/items/special")
    async def replace_special():
        return "replaced"
