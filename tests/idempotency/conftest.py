from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends

from app.auth.dependencies import authenticate
from app.idempotency.dependencies import idempotency_key
from app.main import Application, create_app
from tests.conftest import new_client
from tests.factories import create_token, create_user
from tests.idempotency.steps import RUN, Serve
from tests.lamps.schemas import LampRead


@pytest.fixture
async def serve(app: Application) -> AsyncIterator[Serve]:
    user = await create_user(app.database, "runner@example.com")
    token = await create_token(app.database, user)
    made: list[tuple[Application, httpx.AsyncClient]] = []

    async def serve(endpoint: Callable[..., Any], **settings: Any) -> httpx.AsyncClient:
        router = APIRouter(dependencies=[Depends(authenticate), Depends(idempotency_key)])
        router.post(RUN, status_code=201, response_model=LampRead | None)(endpoint)
        application = create_app(app.settings.model_copy(update=settings))
        assert isinstance(application, Application)
        application.include_router(router)
        made.append((application, new_client(application, {"Authorization": f"Bearer {token}"})))
        return made[-1][1]

    yield serve
    for application, client in made:
        await client.aclose()
        await application.database.close()
