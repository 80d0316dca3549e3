"""Acks on their way down: collected per gateway and boot, sent as ranges, forgotten when they cannot be sent."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from lamplighter_contract.wire.ack import Ack, ranges
from lamplighter_contract.wire.limits import MAX_ACK_RANGES
from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.link.port import Link, LinkDown, PublishDenied

log = logging.getLogger(__name__)

AT_ONCE: Final = 32  # acks on their way to the broker together
QUIET_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who waits for the ack of which frame."""

    gateway: str
    boot: str
    seq: int


class Acker:
    """Sends what was noted. An ack that is lost costs a repeat of its frames, which is harmless."""

    def __init__(self, link: Link, alarms: Alarms, controller: str, epoch: int) -> None:
        """Acknowledge as `controller` in `epoch`."""
        self._link, self._alarms = link, alarms
        self._controller, self._epoch = controller, epoch
        self._noted: dict[tuple[str, str], set[int]] = {}
        self._filled = asyncio.Event()
        self.sent = 0

    def note(self, senders: Iterable[Sender]) -> None:
        """These frames are stored for good."""
        for sender in senders:
            self._noted.setdefault((sender.gateway, sender.boot), set()).add(sender.seq)
        self._filled.set()

    async def run(self) -> None:
        """Send acks as they are noted; for ever."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            noted, self._noted = self._noted, {}
            waiting = iter(noted.items())
            while some := list(islice(waiting, AT_ONCE)):
                async with asyncio.TaskGroup() as group:
                    for (gateway, boot), numbers in some:
                        group.create_task(self._send(gateway, boot, numbers), name=f"ack-{gateway}")

    async def _send(self, gateway: str, boot: str, numbers: set[int]) -> None:
        ordered = ranges(numbers)
        for start in range(0, len(ordered), MAX_ACK_RANGES):
            ack = Ack(self._controller, self._epoch, boot, ordered[start : start + MAX_ACK_RANGES])
            try:
                await self._link.publish(down(gateway, Down.ACK), ack.encode())
            except LinkDown:
                return
            except PublishDenied as error:
                self._alarms.raised("acks-denied", f"the broker refuses our acks: {error}", quiet_s=QUIET_S)
                return
            self.sent += len(numbers)
