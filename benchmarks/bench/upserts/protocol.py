from collections.abc import Awaitable, Callable
from uuid import UUID

type Upsert = Callable[[UUID, bytes], Awaitable[None]]
"""Takes the owner and a JSON array of items, as a request would bring them, and commits."""
