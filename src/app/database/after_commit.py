"""What follows a commit."""

from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn, Self, SupportsIndex

type Callback = Callable[[], Awaitable[None]]


class AfterCommit(list[Callback]):
    """What is to run once a unit of work was committed, which takes no more."""

    def __init__(self, callbacks: Iterable[Callback], refusal: str) -> None:
        super().__init__(callbacks)
        self._refusal = refusal

    def append(self, _: Callback, /) -> NoReturn:
        raise RuntimeError(self._refusal)

    def extend(self, _: Iterable[Callback], /) -> NoReturn:
        raise RuntimeError(self._refusal)

    def insert(self, _: SupportsIndex, __: Callback, /) -> NoReturn:
        raise RuntimeError(self._refusal)

    def __iadd__(self, _: Iterable[Callback], /) -> Self:
        raise RuntimeError(self._refusal)
