"""What evidence stands on: the rooms below, handed in by whoever puts the program together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.errors import Refusal
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.fleet.evidence.shelf import Shelf
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.series.port import Series


class Asks(Protocol):
    """Takes requests for commands; the dispatch is one."""

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the desk stands on; `keys` is the signed document of public keys, which goes into every package."""

    controller: str
    ledger: Ledger
    series: Series
    shelf: Shelf
    commands: Asks
    signer: Signer
    keys: Callable[[], bytes]
    clock: Clock
    zone: ZoneInfo
