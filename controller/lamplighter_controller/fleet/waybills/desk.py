"""Where waybills are declared by people and files, and where those that terminals tell wait to be written."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_controller.events import DeviceHappened
from lamplighter_controller.fleet.limits import trail
from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.register.things import DeclaredWaybill
from lamplighter_controller.fleet.waybills import records, told
from lamplighter_controller.fleet.waybills.following import tell
from lamplighter_controller.fleet.waybills.waybill import Source, Waybill
from lamplighter_controller.ledger.engine import Ledger

log = logging.getLogger(__name__)

WAYBILL: Final = "truck.waybill"
CARD: Final = "truck.driver_card"
EVENTS: Final = frozenset({WAYBILL, CARD})
MOST_WAITING: Final = 10_000
WRITE_S: Final = 60.0


@dataclass(slots=True)
class WaybillDesk:
    """What is not written yet waits for the next time."""

    ledger: Ledger
    clock: Clock
    zone: ZoneInfo
    new_id: Callable[[], str]
    _waiting: deque[DeviceHappened] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))

    def happened(self, event: DeviceHappened) -> None:
        """A terminal told of a load or of a card; it is written by `save`."""
        if event.event in EVENTS:
            self._waiting.append(event)

    async def catch_up(self, since_ms: int) -> None:
        """What was told since a time (civil) and may not have been written; what was, is known again.

        Raises:
            LedgerUnavailable: it is not known what was told.
        """
        told = await self.ledger.read(lambda connection: records.told_since(connection, EVENTS, since_ms))
        self._waiting = deque([*told, *self._waiting], maxlen=MOST_WAITING)

    async def save(self, city: City, *, suspended: bool) -> None:
        """Write what terminals told.

        Raises:
            LedgerUnavailable: it is written with the next.
        """
        if not self._waiting:
            return
        waiting = list(self._waiting)

        def work(connection: Connection) -> None:
            for event in waiting:
                self._tell(connection, event, city, suspended=suspended)

        await self.ledger.write(work)
        for _ in waiting:
            self._waiting.popleft()

    async def declare(self, declared: Iterable[DeclaredWaybill], city: City, who: str, reason: str) -> tuple[int, int]:
        """Add or replace waybills by id; how many were added and how many replaced.

        Raises:
            LedgerUnavailable: nothing was taken.
        """
        papers, wall_ms = list(declared), self.clock.wall_ms()

        def work(connection: Connection) -> tuple[int, int]:
            added = sum(records.put(connection, _stands(connection, one, city, who)) for one in papers)
            only = f":{papers[0].id}" if len(papers) == 1 else ""
            counts = {"added": added, "replaced": len(papers) - added}
            trail.act(connection, "fleet.waybill", f"fleet:waybills{only}", who, reason, wall_ms, counts)
            return added, len(papers) - added

        return await self.ledger.write(work, WRITE_S)

    def _tell(self, connection: Connection, event: DeviceHappened, city: City, *, suspended: bool) -> None:
        row = city.find(event.device)
        if row is None:
            return
        if event.event == CARD:
            records.put_card(connection, told.card(row.truck, event.time_ms, event.detail))
            return
        local = datetime.fromtimestamp(event.time_ms / 1000, self.zone)
        permit = city.permit_of(row.truck, local, suspended=suspended)
        tell(connection, told.waybill(row.truck, event.time_ms, event.detail), permit, city, self.new_id)


def _stands(connection: Connection, paper: DeclaredWaybill, city: City, who: str) -> Waybill:
    """A paper as it is kept; what the truck was seen to do with it stays."""
    known = records.find(connection, paper.id)
    row, ground = city.find(paper.truck), city.register.objects.get(paper.ground)
    stated = Waybill(
        paper.id,
        paper.truck,
        row.company if row else "",
        paper.site,
        paper.ground,
        _ms(paper.loaded),
        driver=paper.driver,
        permit=paper.permit,
        volume_m3=paper.volume_m3,
        source=Source.DECLARED,
        number=paper.number or paper.id,
    )
    if paper.unloaded is not None:
        at = ground.place if ground else None
        stated = replace(stated, unloaded_ms=_ms(paper.unloaded), unloaded_at=at, closed_by=who)
    if known is None:
        return stated
    seen = {"loaded_latitude", "loaded_longitude", "content", "driver_told"}
    if known.unloaded_latitude is not None:
        seen |= {"unloaded_ms", "unloaded_latitude", "unloaded_longitude", "unloaded_at", "closed_by"}
    return replace(stated, **{name: getattr(known, name) for name in seen})


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
