"""Where a handover comes in: what people at work and trucks are owed is taken up before anything is energised."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.handover import HandoverDocument, read_handover
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.keys import Keys
from lamplighter_gateway.commands.ledger import Change
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.events import Events
from lamplighter_gateway.safety.holds import Hold, HoldKind
from lamplighter_gateway.trucks.limits import Limit, What

log = logging.getLogger(__name__)


class HandoverDesk:
    """Takes a handover once for its generation; what was done since by commands of our own memory stands above it."""

    def __init__(
        self, gateway: str, keys: Keys, journal: Journal, events: Events, taken: Callable[[], Awaitable[None]]
    ) -> None:
        """`taken` is awaited when one was taken: what waited for it may go on."""
        self._gateway, self._keys, self._journal, self._events, self._taken = gateway, keys, journal, events, taken
        self._waiting = b""
        keys.changed.append(self._try_again)

    async def take(self, payload: bytes, _retained: bool) -> None:
        """A handover as it came."""
        document = self._read(payload)
        if isinstance(document, Refusal):
            # Retained documents come in no order: this one may be here before the key that it was signed with.
            self._waiting = payload if document.reason is Reason.KEY else b""
            self._events.say(f"handover.refused.{document.reason}", detail=document.detail)
            log.warning("a handover was refused: %s", document.detail)
        elif document.generation > self._journal.generation:
            await self._adopt(document, payload)

    def _read(self, payload: bytes) -> HandoverDocument | Refusal:
        found = read_object(payload, MAX_DOCUMENT_BYTES)
        if isinstance(found, Refusal):
            return found
        document = self._keys.check(found) or read_handover(found)
        if isinstance(document, Refusal) or document.gateway == self._gateway:
            return document
        return Refusal(Reason.ADDRESS, f"the handover is for {document.gateway}")

    async def _adopt(self, document: HandoverDocument, payload: bytes) -> None:
        try:
            await self._journal.hand_over(document.generation, change_of(document, self._journal.memory.last_of))
        except DiskFullError:
            self._waiting = payload
            log.error("no room on the disk for the handover: nothing is energised before there is")  # noqa: TRY400 - a full disk is expected trouble, no trace wanted
            return
        self._waiting = b""
        log.log(
            logging.WARNING if document.holds or document.owed else logging.INFO,
            "generation %d: %d isolations and locks and %d limits are taken over",
            document.generation,
            len(document.holds),
            len(document.owed),
        )
        self._events.say(
            "handover.taken", generation=document.generation, holds=len(document.holds), owed=len(document.owed)
        )
        await self._taken()

    async def _try_again(self) -> None:
        waiting, self._waiting = self._waiting, b""
        if waiting:
            await self.take(waiting, True)


def change_of(document: HandoverDocument, last_of: Mapping[str, int]) -> Change:
    """What a handover changes; what a newer command of our own memory has said of a device stands."""
    fresh: Callable[[Any], bool] = lambda item: last_of.get(item.device, -1) <= item.seq  # noqa: E731 - said of both kinds
    holds = (
        Hold(held.device, HoldKind(held.kind), held.holder, held.command, held.seq, held.since)
        for held in filter(fresh, document.holds)
    )
    limits = (
        Limit(
            its.device,
            What(its.what),
            its.target,
            its.until,
            its.expires,
            its.command,
            its.seq,
            its.released,
            sent=its.target,  # nobody knows what the box before this one had told the truck
        )
        for its in filter(fresh, document.owed)
    )
    return Change(holds=tuple(holds), limits=tuple(limits))
