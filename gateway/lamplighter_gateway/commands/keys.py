"""The public keys that signatures of the centre are checked by: kept on disk, renewed by documents of the root key."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NoReturn

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.signing import Keyring, open_keys
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.events import Events
from lamplighter_gateway.watch.counters import Counters

log = logging.getLogger(__name__)

RETRY_S: Final = 30.0


class Keys:
    """The keys in force."""

    def __init__(
        self, root_key: bytes | None, journal: Journal, events: Events, counters: Counters, clock: Clock
    ) -> None:
        """No key is in force before `open` or a document of the centre."""
        self._root_key = root_key
        self._journal = journal
        self._events = events
        self._counters = counters
        self._clock = clock
        self.ring = Keyring()
        self._not_kept = b""
        self._no_room = asyncio.Event()
        self.changed: list[Callable[[], Awaitable[None]]] = []

    async def open(self) -> None:
        """Take up the keys that were in force."""
        payload = await self._journal.keys()
        if payload is not None and self._root_key is not None:
            ring = open_keys(payload, self._root_key, self.ring)
            if isinstance(ring, Refusal):
                log.warning("the kept keys no longer fit the root key (%s); commands wait for new ones", ring.detail)
            else:
                self.ring = ring

    def check(self, document: Mapping[str, Any]) -> Refusal | None:
        """None when a key in force now has signed the document."""
        return self.ring.check(document, self._clock.wall_ms())

    async def take(self, payload: bytes, _retained: bool) -> None:
        """Keys as they came, signed by the root key; they are remembered as the whole document."""
        if self._root_key is None:
            self._refuse(Refusal(Reason.KEY, "no root key is configured"))
            return
        ring = open_keys(payload, self._root_key, self.ring)
        if isinstance(ring, Refusal):
            self._refuse(ring)
        elif ring.version > self.ring.version:
            self.ring = ring
            log.info("keys of version %d are in force", ring.version)
            await self._keep(payload)
            for told in self.changed:
                await told()

    async def run(self) -> NoReturn:
        """Keep the keys for which there was no room, once there is some, until cancelled."""
        while True:
            await self._no_room.wait()
            await asyncio.sleep(RETRY_S)
            await self._keep(self._not_kept)

    async def _keep(self, payload: bytes) -> None:
        """Keep the newest keys on disk; without room they are in force all the same, until the next start."""
        self._not_kept = payload
        try:
            await self._journal.keep_keys(payload)
        except DiskFullError:
            if not self._no_room.is_set():
                log.error("no room on the disk to keep the keys of version %d; tried again", self.ring.version)  # noqa: TRY400 - a full disk is expected trouble, no trace wanted
                self._events.say("keys.not_kept", version=self.ring.version)
            self._no_room.set()
            return
        if self._no_room.is_set():
            log.warning("the keys of version %d are kept", self.ring.version)
        self._no_room.clear()

    def _refuse(self, refusal: Refusal) -> None:
        self._counters.add(f"keys_refused_{refusal.reason}")
        self._events.say(f"keys.refused.{refusal.reason}", detail=refusal.detail)
