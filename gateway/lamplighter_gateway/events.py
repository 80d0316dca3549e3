"""Events on their way to the spool: equal ones wait as one with a count, so that a storm stays small."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final, NoReturn, Protocol

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.wire.events import Event
from lamplighter_contract.wire.fields import plain
from lamplighter_contract.wire.frame import events_body
from lamplighter_contract.wire.limits import MAX_TEXT
from lamplighter_gateway.spool.frames import Class

FLUSH_S: Final = 0.2
RETRY_S: Final = 1.0
MOST: Final = 500  # kinds of event that wait at a time, also the most in one frame

Detail = str | float | int | bool | None
Random = Callable[[int], bytes]


class Outbox(Protocol):
    """What events need of the spool."""

    @property
    def events_full(self) -> bool:
        """True while no more events should come."""

    def offer(self, of: Class, body: bytes) -> None:
        """Take a body."""


class Events:
    """Raise an event anywhere; `run` brings it to the spool."""

    def __init__(self, spool: Outbox, clock: Clock, random: Random = secrets.token_bytes) -> None:
        """`random` gives that many random bytes, for ids."""
        self._spool = spool
        self._clock = clock
        self._random = random
        self._waiting: dict[tuple[str, str], Event] = {}
        self._raised = asyncio.Event()
        self.lost = 0

    def say(self, event: str, device: str | None = None, /, subject: str = "", **detail: Detail) -> None:
        """Something happened to a device, or to another `subject`; joined events carry the newest's detail."""
        now_ms = self._clock.civil_ms()
        key = (device or subject, event)
        before = self._waiting.get(key)
        if before is None and len(self._waiting) >= MOST:
            self.lost += 1
            return
        named: dict[str, Detail] = {"subject": subject} if subject else {}
        cut = named | {
            name: plain(value[:MAX_TEXT]) if isinstance(value, str) else value for name, value in detail.items()
        }
        self._waiting[key] = Event(
            id=before.id if before else uuid7(self._clock.wall_ms(), self._random(10)),
            time=now_ms,
            event=event,
            device=device,
            detail=cut,
            count=before.count + 1 if before else 1,
            first=(before.first or before.time) if before else None,
        )
        self._raised.set()

    async def run(self) -> NoReturn:
        """Bring events to the spool until cancelled; while their share of it is used up they wait and are joined."""
        while True:
            await self._raised.wait()
            await asyncio.sleep(RETRY_S if self._spool.events_full else FLUSH_S)
            if not self._spool.events_full:
                self.flush()

    def flush(self) -> None:
        """Hand over what waits."""
        if self._waiting:
            self._spool.offer(Class.EVENT, events_body(list(self._waiting.values())))
            self._waiting.clear()
        self._raised.clear()
