"""What follows a commit."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Self, SupportsIndex

type Callback = Callable[[], Awaitable[None]]


class AfterCommit(list[Callback]):
    """What is to run once the unit of work is committed; takes no more when that is over."""

    refusal = ""

    def append(self, callback: Callback, /) -> None:
        self._require_open()
        super().append(callback)

    def extend(self, callbacks: Iterable[Callback], /) -> None:
        self._require_open()
        super().extend(callbacks)

    def insert(self, index: SupportsIndex, callback: Callback, /) -> None:
        self._require_open()
        super().insert(index, callback)

    def __iadd__(self, callbacks: Iterable[Callback], /) -> Self:
        self._require_open()
        return super().__iadd__(callbacks)

    def _require_open(self) -> None:
        if self.refusal:
            raise RuntimeError(self.refusal)
