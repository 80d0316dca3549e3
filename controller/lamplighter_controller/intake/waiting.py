"""The waiting room before a store: bounded, so that a store that hangs costs no more than this."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Anything that knows what it costs to keep."""

    @property
    def bytes(self) -> int:
        """About how much memory it holds."""


T = TypeVar("T", bound=Sized)


@dataclass(slots=True)
class WaitingRoom(Generic[T]):
    """First in, first out, up to `limit_bytes`. Who is turned away keeps what he has: gateways send again."""

    limit_bytes: int
    filled: asyncio.Event
    bytes: int = 0
    turned_away: int = 0
    _items: deque[T] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        """True when nothing more is taken."""
        return self.bytes >= self.limit_bytes

    def put(self, item: T) -> bool:
        """Take an item in; False when the room is full."""
        if self.full:
            self.turned_away += 1
            return False
        self._items.append(item)
        self.bytes += item.bytes
        self.filled.set()
        return True

    def take(self, limit_bytes: int) -> list[T]:
        """Let the oldest out, one at least, up to `limit_bytes`."""
        taken: list[T] = []
        size = 0
        while self._items and (not taken or size + self._items[0].bytes <= limit_bytes):
            item = self._items.popleft()
            size += item.bytes
            taken.append(item)
        self.bytes -= size
        return taken
