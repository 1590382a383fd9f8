"""Uploads that are not held in memory, and that others can watch."""

from hashlib import sha256

from fastapi import APIRouter, HTTPException, Request

LIMIT = 8 * 1024 * 1024  # bytes

router = APIRouter(prefix="/uploads")
_received: dict[str, int] = {}


@router.put("/{name}", max_body_size=LIMIT)
async def upload(name: str, request: Request) -> str:
    digest = sha256()
    _received[name] = 0
    async for chunk in request.stream():
        digest.update(chunk)
        _received[name] += len(chunk)
    return digest.hexdigest()


@router.get("/{name}")
async def read_progress(name: str) -> int:
    if name not in _received:
        raise HTTPException(404, f"No upload {name}")
    return _received[name]
