"""What is done when files of the series store were damaged: a person is told, gateways send again what they kept."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.series.factory import damaged_files
from lamplighter_controller.series.port import Series

log = logging.getLogger(__name__)

DAMAGED: Final = "series-damaged"
WHO: Final = "controller"
WHY: Final = "the series store lost readings it had acknowledged"
EVERY_FRAME: Final = {"from": 0, "to": 2**52 - 1}  # which frames were lost, nobody knows; a repeat does no harm
EXPIRES_S: Final = 86_400.0
LONGEST_KEY: Final = 128


class Asks(Protocol):
    """Takes requests for commands; the dispatch is one."""

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""


class Losses:
    """Looks for damaged files; those of an earlier run count until a person has moved them away."""

    def __init__(self, series: Series, commands: Asks, gateways: Gateways, alarms: Alarms) -> None:
        """Watch over `series`."""
        self._series, self._commands, self._gateways, self._alarms = series, commands, gateways, alarms
        self._asked: set[Path] = set()
        self._complained = False

    async def look(self) -> None:
        """Raise or clear the alarm, and ask for what was lost."""
        damaged = await asyncio.to_thread(damaged_files, self._series)
        if not damaged:
            self._alarms.cleared(DAMAGED)
            return
        self._asked &= set(damaged)
        self._alarms.raised(DAMAGED, _text(damaged))
        for file in damaged:
            if file not in self._asked:
                await self._ask(file)

    async def _ask(self, file: Path) -> None:
        everyone = tuple(sorted(self._gateways.enrolled))
        if not everyone:
            return
        try:
            key = await asyncio.to_thread(_key, file)
        except FileNotFoundError:  # a person has just moved it
            return
        wanted = CommandRequest(
            Operation.GATEWAY_RESEND, args=EVERY_FRAME, reason=WHY, expires_s=EXPIRES_S, key=key, gateways=everyone
        )
        try:
            answer = await self._commands.submit(wanted, WHO)
        except LedgerUnavailable as error:
            self._wait(str(error))
            return
        if isinstance(answer, Refusal) and answer.reason is not Reason.REPLAYED:  # asked for other gateways before
            self._wait(answer.detail)
            return
        self._asked.add(file)
        self._complained = False
        log.warning("%d gateways are asked to send again what they kept, because of %s", len(everyone), file.name)

    def _wait(self, why: str) -> None:
        if not self._complained:
            self._complained = True
            log.warning("gateways are not yet asked to send again what they kept: %s", why)


def _key(file: Path) -> str:
    """The same for a file over restarts, another for the next file of that name."""
    return f"lost:{file.stat().st_mtime_ns}:{file.name}"[:LONGEST_KEY]


def _text(damaged: Sequence[Path]) -> str:
    return (
        f"damaged files of the series store were set aside: {', '.join(map(str, damaged))}. Acknowledged readings may "
        "be missing; every enrolled gateway is asked to send again what it kept (gateway.resend). Look in /commands "
        "whether each has done so, ask again for one that was away for a day, then move the files to another folder: "
        "that ends this alarm"
    )
