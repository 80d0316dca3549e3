"""Keeps before every gateway what a box without a memory has to know before it may energise anything."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.wire.handover import HandoverDocument
from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.commands import handing_over
from lamplighter_controller.commands.handing_over import Carried
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.link.port import Link, LinkDown, PublishDenied
from lamplighter_controller.security import enrolment

log = logging.getLogger(__name__)

LOOK_S: Final = 20.0
QUIET_S: Final = 600.0


class HandoverKeeper:
    """Publishes a signed handover, retained, whenever it changes and at each connect; nobody while the hold lasts."""

    def __init__(
        self, link: Link, ledger: Ledger, signer: Signer, gateways: Gateways, alarms: Alarms, held: Callable[[], bool]
    ) -> None:
        """Tell what the ledger holds; `run` does it."""
        self._link, self._ledger, self._signer = link, ledger, signer
        self._gateways, self._alarms, self._held = gateways, alarms, held
        self._told: dict[str, HandoverDocument] = {}
        self._last_words: dict[tuple[str, int], tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._generations: dict[str, int] = {}
        self._wake = asyncio.Event()

    def awaited(self, gateway: str) -> bool:
        """True while another box is in its place and has not said that it took the handover."""
        generation = self._generations.get(gateway, 1)
        state = self._gateways.report(gateway).state
        return generation > 1 and (state is None or state.generation < generation)

    async def load(self) -> None:
        """Know who was replaced before anybody is commanded."""
        self._generations = await self._ledger.read(enrolment.generations)

    async def connected(self) -> None:
        """The broker may have forgotten everything."""
        self._told.clear()
        self._wake.set()

    async def enrolment_changed(self) -> None:
        """Somebody may be new, or another box."""
        await self.load()
        self._wake.set()

    async def run(self) -> None:
        """Tell whoever was not told; look again from time to time, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()
            with contextlib.suppress(LedgerUnavailable, LinkDown):  # both are told by their rooms; we look again
                await self.look()

    async def look(self) -> None:
        """Tell whoever was not told, once.

        Raises:
            LedgerUnavailable: the database does not answer.
            LinkDown: the connection to the broker was lost.
        """
        if self._held() or not self._link.up:
            return
        self._generations, carried = await self._ledger.read(_standing)
        for gateway, generation in sorted(self._generations.items()):
            its = self._with_last_words(gateway, generation, carried.get(gateway, Carried()))
            document = HandoverDocument(gateway, generation, its.holds, its.owed)
            if gateway in self._gateways.enrolled and self._told.get(gateway) != document:
                await self._tell(document)

    def _with_last_words(self, gateway: str, generation: int, its: Carried) -> Carried:
        """What the box before said of itself is kept until its successor speaks as one that took the handover."""
        state = self._gateways.report(gateway).state
        if state is not None and generation > 1 and state.generation < generation and (state.isolated or state.locked):
            self._last_words[gateway, generation] = (state.isolated, state.locked)
        if not self.awaited(gateway):
            self._last_words.pop((gateway, generation), None)
        isolated, locked = self._last_words.get((gateway, generation), ((), ()))
        return handing_over.also_told(its, isolated, locked)

    async def _tell(self, document: HandoverDocument) -> None:
        payload = self._signer.sign(document.as_json())
        try:
            await self._link.publish(down(document.gateway, Down.HANDOVER), payload, retain=True)
        except PublishDenied as error:
            self._alarms.raised("handover-denied", f"the broker refuses our handovers: {error}", quiet_s=QUIET_S)
        self._told[document.gateway] = document


def _standing(connection: Connection) -> tuple[dict[str, int], dict[str, Carried]]:
    return enrolment.generations(connection), dict(handing_over.by_gateway(connection))
