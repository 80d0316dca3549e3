"""Documents the centre keeps retained for every enrolled gateway: the keys in force."""

import asyncio
import logging
from typing import Final

from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.link.port import Link, LinkDown, PublishDenied

log = logging.getLogger(__name__)

QUIET_S: Final = 600.0
RETRY_S: Final = 1.0


class KeysKeeper:
    """Publishes the signed keys document again at each connect and for each newly enrolled gateway."""

    def __init__(self, link: Link, gateways: Gateways, alarms: Alarms, document: bytes) -> None:
        """Keep `document` before every enrolled gateway."""
        self._link, self._gateways, self._alarms, self._document = link, gateways, alarms, document
        self._told: set[str] = set()
        self._wake = asyncio.Event()

    async def renew(self, document: bytes) -> None:
        """Keep another document from now on; on return every gateway's is at the broker, or waits for it."""
        self._document = document
        self._told.clear()
        if not await self._tell():
            self._wake.set()

    async def connected(self) -> None:
        """The broker may have forgotten everything."""
        self._told.clear()
        self._wake.set()

    def enrolment_changed(self) -> None:
        """Somebody may be new."""
        self._wake.set()

    async def run(self) -> None:
        """Tell whoever was not told; for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._tell():
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def _tell(self) -> bool:
        for gateway in sorted(self._gateways.enrolled - self._told):
            try:
                await self._link.publish(down(gateway, Down.KEYS), self._document, retain=True)
            except LinkDown:
                return not self._link.up  # a new connection wakes us anyway
            except PublishDenied as error:
                self._alarms.raised("keys-denied", f"the broker refuses our keys: {error}", quiet_s=QUIET_S)
            self._told.add(gateway)
        return True
