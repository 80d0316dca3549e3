"""Evidence as this program keeps it."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from lamplighter_contract.clock import Clock
from lamplighter_controller.commands.dispatch import Dispatch
from lamplighter_controller.config import Config
from lamplighter_controller.events import Events, FleetChanged
from lamplighter_controller.fleet.cases.desk import CaseDesk
from lamplighter_controller.fleet.evidence.desk import EvidenceDesk
from lamplighter_controller.fleet.evidence.ground import Around
from lamplighter_controller.fleet.evidence.keeper import EvidenceKeeper
from lamplighter_controller.fleet.evidence.retention import Policy
from lamplighter_controller.fleet.evidence.shelf import Shelf
from lamplighter_controller.fleet.violations.violation import Violation
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.series.port import Series

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who binds and packs evidence, who takes steps with violations, who looks after both."""

    desk: EvidenceDesk
    cases: CaseDesk
    keeper: EvidenceKeeper


def evidence_of(
    config: Config,
    stores: tuple[Ledger, Series],
    keys: Keys,
    dispatch: Dispatch,
    events: Events,
    clock: Clock,
) -> Evidence:
    """Everything about evidence, its files in the data folder."""
    ledger, series = stores
    kept = config.evidence
    shelf = Shelf(config.data / "evidence", round(kept.max_gib * GIB))
    shelf.open()
    zone = ZoneInfo(config.city.zone)
    desk = EvidenceDesk(
        Around(config.controller, ledger, series, shelf, dispatch, keys.signer, lambda: keys.document, clock, zone)
    )
    policy = Policy(kept.candidate_days, kept.invalid_days, kept.closed_days, kept.driver_days)

    def tell(one: Violation) -> None:
        events.publish(FleetChanged("violation", one.id, one.truck, one.state, one.first_ms, one.kind))

    return Evidence(desk, CaseDesk(ledger, clock, tell), EvidenceKeeper(desk, ledger, shelf, clock, policy))
