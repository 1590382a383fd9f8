"""Whatever routes an application adds, the tests that it came with pass."""

from pathlib import Path

import pytest

from tests.cli.project import Project

pytestmark = pytest.mark.generator

ROUTER = """
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Cookie, Depends, Form, HTTPException, Response
from fastapi import UploadFile, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBasic
from pydantic import BaseModel

from app.dependencies import UnitsOfWork

router = APIRouter(prefix="/own", tags=["own"])


class Note(BaseModel):
    text: str


async def resource() -> AsyncIterator[int]:
    yield 1


@router.post("/tasks", status_code=202)
async def start_task(note: Note, background: BackgroundTasks, units: UnitsOfWork) -> None:
    async def run() -> None:
        async with units():
            pass

    background.add_task(run)


@router.post("/forms")
async def take_form(name: Annotated[str, Form()], age: Annotated[int, Form()] = 3) -> str:
    return name


@router.post("/uploads", status_code=201)
async def upload(file: UploadFile, title: Annotated[str, Form()]) -> int:
    return len(await file.read())


@router.put("/files/{name:path}")
async def put_file(name: str) -> Response:
    return Response(name, media_type="text/plain")


@router.get("/stream")
async def stream() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "a"

    return StreamingResponse(lines(), media_type="text/csv")


@router.get("/resource")
async def read(
    found: Annotated[int, Depends(resource)], theme: Annotated[str, Cookie()] = ""
) -> int:
    return found


@router.get("/{number:int}/teapot", dependencies=[Depends(HTTPBasic())], responses={
    418: {"content": {"text/plain": {}}}
})
async def teapot(number: int) -> int:
    raise HTTPException(418)


@router.api_route("/many", methods=["GET", "POST", "REPORT"], include_in_schema=False)
async def many() -> int:
    return 1


@router.websocket("/socket")
async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
"""


def test_they_fail_no_test_of_the_foundations(tmp_path: Path) -> None:
    project = Project(tmp_path)
    folder = project.root / "src/app/own"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "router.py").write_text(ROUTER)
    # Those that go over all routes.
    project.run("pytest", "-q", "tests/api", "tests/contract", "tests/dispatch")
