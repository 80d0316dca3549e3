"""The public keys that signatures of the centre are checked by: kept on disk, renewed by documents of the root key."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.signing import Keyring, open_keys
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.events import Events
from lamplighter_gateway.watch.counters import Counters

log = logging.getLogger(__name__)


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
            await self._journal.keep_keys(payload)
            self.ring = ring
            log.info("keys of version %d are in force", ring.version)
            for told in self.changed:
                await told()

    def _refuse(self, refusal: Refusal) -> None:
        self._counters.add(f"keys_refused_{refusal.reason}")
        self._events.say(f"keys.refused.{refusal.reason}", detail=refusal.detail)
