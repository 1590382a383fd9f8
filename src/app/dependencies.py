"""The nouns that every router may ask for."""

from typing import Annotated

from fastapi import Depends, Request

from app.config import Settings
from app.database import UnitOfWork


async def get_work(request: Request) -> UnitOfWork:
    work: UnitOfWork = request.scope["state"]["work"]
    return work


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


Work = Annotated[UnitOfWork, Depends(get_work)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
