"""What the maintenance room stands on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.diagnosis.engine import Diagnosis
from lamplighter_controller.diagnosis.incidents.clock import Sla
from lamplighter_controller.events import Events
from lamplighter_controller.fleet.evidence.shelf import Shelf
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting.proof.desk import ProofDesk
from lamplighter_controller.series.port import Series
from lamplighter_controller.twin.columns import Twin

RULE: Final = "rule:maintenance"


class Commands(Protocol):
    """Takes requests for commands and tells what became of them; the dispatch is one."""

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""

    async def request(self, request: str) -> Submitted | None:
        """A request with its commands and their parts, None when there is none of that id."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a city wants its maintenance.

    Args:
        from_incidents: an incident that is worth a trip becomes an order by itself.
        settle_ms: for how long a repaired element has to be energised and well, civil.
        escalate_ms: an order that nobody has taken for so long is escalated, civil; a fifth of it for danger.
    """

    from_incidents: bool = True
    settle_ms: int = 30 * 60_000
    escalate_ms: int = 30 * 60_000
    closes_itself: bool = True


@dataclass(frozen=True, slots=True)
class Around:
    """Handed in by whoever puts the program together."""

    ledger: Ledger
    series: Series
    twin: Twin
    events: Events
    commands: Commands
    diagnosis: Diagnosis
    proof: ProofDesk
    alarms: Alarms
    clock: Clock
    shelf: Shelf
    new_id: Callable[[], str]
    sla: Sla = field(default_factory=Sla)
    zone: str = "Asia/Shanghai"
    rate: float = 1.0
    settings: Settings = field(default_factory=Settings)
