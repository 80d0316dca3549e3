"""What the API stands on: the rooms below, handed in by whoever puts the program together."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol

from fastapi import Depends
from starlette.requests import HTTPConnection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.geo.box import Box
from lamplighter_controller.commands.model import CommandRequest, Overview, Submitted
from lamplighter_controller.diagnosis.engine import Diagnosis
from lamplighter_controller.events import Events
from lamplighter_controller.fleet.cases.desk import CaseDesk
from lamplighter_controller.fleet.engine import Fleet
from lamplighter_controller.fleet.evidence.desk import EvidenceDesk
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways, Unheard
from lamplighter_controller.intake.replay import Outcome
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting.adaptive.engine import SignalKeeper
from lamplighter_controller.lighting.desk import PlanDesk
from lamplighter_controller.lighting.overrides.desk import OverrideDesk
from lamplighter_controller.lighting.proof.desk import ProofDesk
from lamplighter_controller.lighting.scenes.desk import SceneDesk
from lamplighter_controller.maintenance.engine import Maintenance
from lamplighter_controller.rollout.configs import ConfigKeeper
from lamplighter_controller.rollout.engine import RolloutKeeper
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.series.port import Series
from lamplighter_controller.twin.columns import Twin

SESSION_KEY_BYTES: Final = 32


class Commands(Protocol):
    """Takes requests for commands and tells what became of them; the dispatch is one.

    Each may raise LedgerUnavailable; a request is then not known to be stored, and asking again with its key is safe.
    """

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""

    async def request(self, request: str) -> Submitted | None:
        """A request with its commands and their parts, None when there is none of that id."""

    async def recent(self, *, device: str | None = None, before: str | None = None, limit: int = 50) -> list[Overview]:
        """The newest requests first, of one device or all, older than the request `before` when given."""


class Letters(Protocol):
    """Tries dead letters again; intake's replay is one."""

    async def replay(self, ids: Sequence[int]) -> Sequence[Outcome]:
        """Try these letters again; those stored leave the list."""


class SupportFiles(Protocol):
    """Keeps what gateways bring for whoever helps from afar; the support desk is one."""

    async def find(self, gateway: str, command: str) -> bytes | None:
        """The bundle that a command brought, None while it is not whole or no longer kept."""


class NoSupport:
    """Keeps nothing."""

    async def find(self, gateway: str, command: str) -> bytes | None:  # noqa: ARG002 - whoever asks
        """None."""
        return None


class Actions(Protocol):
    """What the API asks of the running program as a whole."""

    async def enrolment_changed(self) -> None:
        """Listen to the gateways that are enrolled now, and to no others."""

    def held(self) -> bool:
        """True while a restored controller sends neither plans nor commands."""

    async def release(self, *, who: str, reason: str, anyway: bool) -> bool | Unheard:
        """End the hold, with its audit entry; False when there is none. `anyway` waits for no gateway."""

    async def backup(self, *, who: str) -> str:
        """Write a backup, with its audit entry, and return its name.

        Raises:
            ControllerError: it could not be made; the message says why.
        """


@dataclass(frozen=True, slots=True)
class City:
    """The city as it is shown: its name by language (zh, en), its time zone, how fast its civil time runs.

    `box`: where it is; an import with positions outside is refused.
    """

    name: Mapping[str, str]
    zone: str = "Asia/Shanghai"
    rate: float = 1.0
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the API uses. A stored `session_key` lets sessions outlive a restart."""

    controller: str
    keys: Keys
    clock: Clock
    city: City
    ledger: Ledger
    series: Series
    twin: Twin
    gateways: Gateways
    alarms: Alarms
    commands: Commands
    letters: Letters
    events: Events
    actions: Actions
    plans: PlanDesk
    proof: ProofDesk
    overrides: OverrideDesk
    scenes: SceneDesk
    signals: SignalKeeper
    diagnosis: Diagnosis
    fleet: Fleet
    cases: CaseDesk
    evidence: EvidenceDesk
    maintenance: Maintenance
    support: SupportFiles = field(default_factory=NoSupport)
    rollouts: RolloutKeeper | None = None
    configs: ConfigKeeper | None = None
    session_key: bytes = field(default_factory=lambda: secrets.token_bytes(SESSION_KEY_BYTES), repr=False)


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that serves this connection."""
    services = connection.app.state.services
    assert isinstance(services, Services)
    return services


Provided = Annotated[Services, Depends(services_of)]
