"""What limits stand on: the rooms below, handed in by whoever puts the program together."""

from dataclasses import dataclass
from random import Random
from typing import Protocol

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.ids import uuid7
from lamplighter_contract.truck.interlock import Bounds
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.events import Events
from lamplighter_controller.fleet.limits.judging import Sight
from lamplighter_controller.fleet.limits.sights import Sights
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.twin.columns import Twin


class Commands(Protocol):
    """Takes requests for commands and tells what became of them; the dispatch is one."""

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""

    async def request(self, request: str) -> Submitted | None:
        """A request with its commands and their parts, None when there is none of that id."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What limits stand on."""

    ledger: Ledger
    twin: Twin
    commands: Commands
    events: Events
    alarms: Alarms
    clock: Clock
    random: Random
    sights: Sights
    bounds: Bounds

    def new_id(self) -> str:
        """An id that no other thing has."""
        return uuid7(self.clock.wall_ms(), self.random.randbytes(10))

    def sight(self, device: str) -> Sight:
        """What is known of a truck now."""
        return self.sights.of(device, self.clock.wall_ms(), self.clock.civil_ms())
