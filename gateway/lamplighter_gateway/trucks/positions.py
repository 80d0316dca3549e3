"""What terminals bring, on its way to the spool: many positions in one frame, which is durable before any is told."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn, Protocol

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.events import Event
from lamplighter_contract.wire.fields import plain
from lamplighter_contract.wire.frame import events_body
from lamplighter_contract.wire.limits import MAX_TEXT
from lamplighter_gateway.batch import MOST_ROWS, body
from lamplighter_gateway.drivers.port import Brought, Reading
from lamplighter_gateway.spool.frames import Class

GATHER_S: Final = 0.05
MOST_WAITING: Final = 20_000
PHOTOS: Final = "photos"
MOST_PHOTO_BYTES: Final = 200 * 1024 * 1024


class Durable(Protocol):
    """What is needed of the spool."""

    async def put(self, of: Class, body: bytes) -> bool:
        """Return once it is on disk; False when that takes too long."""


class Positions:
    """Gathers for a moment, then commits. `run` must be running."""

    def __init__(self, spool: Durable, folder: Path, clock: Clock, doubts: Callable[[], int]) -> None:
        """Photos go to `folder`; `doubts` gives quality bits that hold for all readings now."""
        self._spool, self._clock, self._doubts = spool, clock, doubts
        self._folder = folder / PHOTOS
        self._waiting: list[tuple[Reading, asyncio.Future[bool]]] = []
        self._some = asyncio.Event()

    async def store(self, readings: Sequence[Reading]) -> bool:
        """Return once all are durable; False: not now, the terminal is to send them again."""
        if not readings:
            return True
        if len(self._waiting) > MOST_WAITING:
            return False
        done = asyncio.get_running_loop().create_future()
        self._waiting += [(reading, done) for reading in readings]
        self._some.set()
        return await asyncio.shield(done)

    async def keep(self, device: str, brought: Brought) -> bool:
        """Return once an event with what was brought is durable; a photo is a file, and the event names it.

        `device` is empty where it is of none of ours.
        """
        detail = dict(brought.detail)
        if brought.content:
            digest = hashlib.sha256(brought.content).hexdigest()
            await asyncio.to_thread(self._write_photo, digest, brought.content)
            detail |= {"sha256": digest, "bytes": len(brought.content)}
        cut = {name: plain(value[:MAX_TEXT]) if isinstance(value, str) else value for name, value in detail.items()}
        if any(isinstance(value, str) and len(value) > MAX_TEXT for value in detail.values()):
            cut["cut"] = True
        identity = uuid7(self._clock.wall_ms(), secrets.token_bytes(10))
        event = Event(id=identity, time=self._clock.civil_ms(), event=brought.event, device=device or None, detail=cut)
        return await self._spool.put(Class.EVENT, events_body([event]))

    async def run(self) -> NoReturn:
        """Commit what has gathered, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_S)
            self._some.clear()
            waiting, self._waiting = self._waiting, []
            async with asyncio.TaskGroup() as group:
                for at in range(0, len(waiting), MOST_ROWS):
                    group.create_task(self._commit(waiting[at : at + MOST_ROWS]), name="positions-commit")

    async def _commit(self, part: Sequence[tuple[Reading, asyncio.Future[bool]]]) -> None:
        rows = [reading for reading, _ in part]
        durable = await self._spool.put(Class.READING, body(Kind.TRUCK, rows, self._doubts()))
        for _, done in part:
            if not done.done():
                done.set_result(durable)

    def _write_photo(self, digest: str, content: bytes) -> None:
        """A photo under its own digest; the oldest go when there are too many."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with (self._folder / f"{digest}.jpg").open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        kept = sorted(self._folder.iterdir(), key=lambda file: file.stat().st_mtime)
        room = MOST_PHOTO_BYTES - sum(file.stat().st_size for file in kept)
        while room < 0 and len(kept) > 1:
            room += kept[0].stat().st_size
            kept.pop(0).unlink()
