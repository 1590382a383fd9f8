"""The user guide's pages on form data and uploads."""

from typing import Annotated

from fastapi import FastAPI, File, Form, Request, UploadFile
from pydantic import BaseModel

from tests.compatibility.feature import feature, get, post

HELLO = ("hello.txt", b"hello", "text/plain")
IMAGE = ("image.png", b"\x89PNG", "image/png")


class Login(BaseModel):
    username: str
    password: str
    scopes: list[str] = []


class StrictLogin(Login):
    model_config = {"extra": "forbid"}


@feature(
    "Form data: fields",
    post("/login", data={"username": "ada", "password": "x"}),
    post("/login", data={"username": "ada", "password": "x", "age": "5"}),
    post("/login", data={"username": "ada", "password": "x", "age": "five"}),
    post("/login", data={"username": "ada"}),
    post("/login", data={"username": "", "password": "x"}),
    post("/login", data={"username": "é & ü", "password": "x", "other": "1"}),
    post("/login", json={"username": "ada", "password": "x"}),
    post("/login", files={"username": (None, "ada"), "password": (None, "x")}),
    post(
        "/login",
        content=b"username=a&username=b&password=c",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    post("/login", content=b"%FF=%", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    post("/login"),
    get("/login"),
)
def fields(app: FastAPI) -> None:
    @app.post("/login")
    async def login(
        username: Annotated[str, Form()],
        password: Annotated[str, Form(min_length=1)],
        age: Annotated[int | None, Form(le=100)] = None,
    ):
        return {"username": username, "length": len(password), "age": age}


@feature(
    "Form data: lists, aliases and a model",
    post("/model", data={"username": "a", "password": "b", "scopes": ["x", "y"]}),
    post("/model", data={"username": "a", "other": "1"}),
    post("/strict", data={"username": "a", "password": "b", "other": "1"}),
    post("/strict", data={"username": "a", "password": "b"}),
    post("/lists", data={"tag": ["a", "b"], "number": ["1", "2"]}),
    post("/lists", data={"tag": ["a"], "number": ["x"]}),
    post("/lists", data={}),
    post("/lists"),
)
def form_model(app: FastAPI) -> None:
    @app.post("/model")
    async def take_model(data: Annotated[Login, Form()]):
        return data

    @app.post("/strict")
    async def take_strict(data: Annotated[StrictLogin, Form()]):
        return data

    @app.post("/lists")
    async def take_lists(
        tags: Annotated[list[str], Form(alias="tag")] = [],
        number: Annotated[set[int] | None, Form()] = None,
    ):
        return {"tags": tags, "numbers": number}


@feature(
    "Files: bytes = File()",
    post("/files", files={"file": HELLO}),
    post("/files", files={"file": ("empty", b"")}),
    post("/files", files={"other": HELLO}),
    post("/files", json="aGVsbG8="),
    post("/files", data={"file": "text"}),
    post("/files"),
    post("/optional"),
    post("/optional", files={"file": HELLO}),
)
def file_bytes(app: FastAPI) -> None:
    @app.post("/files")
    async def take_file(file: Annotated[bytes, File()]):
        return {"size": len(file)}

    @app.post("/optional")
    async def take_optional(file: Annotated[bytes | None, File(description="Any")] = None):
        return {"size": None if file is None else len(file)}


@feature(
    "Files: UploadFile",
    post("/upload", files={"file": HELLO}),
    post("/upload", files={"file": IMAGE}),
    post("/upload", files={"file": ("big", b"x" * 200_000)}),
    post("/upload", files={"file": (None, "no file")}),
    post("/upload", data={"file": "text"}),
    post("/upload"),
    post("/optional", files={"file": HELLO}),
    post("/optional"),
    post("/sync", files={"file": HELLO}),
)
def upload_file(app: FastAPI) -> None:
    @app.post("/upload")
    async def upload(file: UploadFile):
        start = await file.read(3)
        await file.seek(0)
        return {
            "filename": file.filename,
            "type": file.content_type,
            "size": file.size,
            "start": repr(start),
            "length": len(await file.read()),
            "disposition": file.headers["content-disposition"],
        }

    @app.post("/optional")
    async def optional(file: UploadFile | None = None):
        return file.filename if file else "none"

    @app.post("/sync")
    def sync(file: Annotated[UploadFile, File(description="A file")]):
        return file.file.read().decode()


@feature(
    "Files: several",
    post("/files", files=[("files", HELLO), ("files", IMAGE)]),
    post("/files", files=[("files", HELLO)]),
    post("/files"),
    post("/bytes", files=[("files", HELLO), ("files", IMAGE)]),
    post("/optional"),
)
def several_files(app: FastAPI) -> None:
    @app.post("/files")
    async def take_files(files: list[UploadFile]):
        return [(each.filename, each.size) for each in files]

    @app.post("/bytes")
    async def take_bytes(files: Annotated[list[bytes], File()]):
        return [len(each) for each in files]

    @app.post("/optional")
    async def take_optional(files: Annotated[list[UploadFile] | None, File()] = None):
        return {"files": files}


@feature(
    "Forms and files together",
    post("/files", files={"file": HELLO, "extra": IMAGE}, data={"token": "t"}),
    post("/files", files={"file": HELLO}, data={"token": "t"}),
    post("/files", data={"token": "t"}),
    post("/files", files={"file": HELLO, "extra": IMAGE}, data={"token": "t", "count": "x"}),
)
def forms_and_files(app: FastAPI) -> None:
    @app.post("/files")
    async def take(
        file: Annotated[bytes, File()],
        extra: Annotated[UploadFile, File()],
        token: Annotated[str, Form()],
        count: Annotated[int, Form()] = 1,
    ):
        return [len(file), extra.content_type, token, count]


@feature(
    "Forms: a broken multipart body, and too many fields",
    post(
        "/form",
        content=b"--x\r\nbroken",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    ),
    post("/form", content=b"a", headers={"Content-Type": "multipart/form-data"}),
    post("/form", data={"a": "1", "b": "2", "c": "3"}),
    post("/form", files={"a": (None, "x" * 60)}),
    post("/form", data={"a": "1"}),
    form_limits={"max_fields": 2, "max_part_size": 50},
)
def broken(app: FastAPI) -> None:
    @app.post("/form")
    async def form(a: Annotated[str, Form()]):
        return a


@feature(
    "Request body limits: of a route",
    post("/small", content=b"12345"),
    post("/small", content=b"12345678901"),
    post("/small", content=[b"123456", b"789012"]),
    post("/unread", content=b"12345678901"),
)
def max_body_size_of_routes(app: FastAPI) -> None:
    @app.post("/small", max_body_size=10)
    async def small(request: Request):
        return len(await request.body())

    @app.post("/unread", max_body_size=10)
    async def unread():
        return "done"


@feature(
    "Request body limits: of the application",
    post("/small", content=b"12345"),
    post("/small", content=b"12345678901"),
    post("/large", content=b"12345678901"),
    post("/large", content=b"123456789012345678901"),
    max_body_size=10,
)
def max_body_size(app: FastAPI) -> None:
    @app.post("/small")
    async def small(request: Request):
        return len(await request.body())

    @app.post("/large", max_body_size=20)
    async def large(request: Request):
        return len(await request.body())
