"""A webhook whose sender signs the bytes of the body."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from pydantic import BaseModel

KEY = b"the sender's and ours"
router = APIRouter(prefix="/hooks")


class Payment(BaseModel):
    amount: int


def signature(body: bytes) -> str:
    return hmac.digest(KEY, body, "sha256").hex()


async def require_signature(request: Request, x_signature: Annotated[str, Header()]) -> None:
    if not hmac.compare_digest(signature(await request.body()), x_signature):
        raise HTTPException(403, "The signature is wrong")


@router.post("/payments", dependencies=[Depends(require_signature)])
async def take_payment(payment: Payment) -> int:
    return payment.amount


@router.post("/anything", dependencies=[Depends(require_signature)])
async def take_anything(request: Request) -> str:
    """As it came, whatever it is."""
    return (await request.body()).decode()
