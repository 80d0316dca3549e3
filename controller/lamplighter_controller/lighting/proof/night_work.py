"""Works a night out: gathers plans, readings and meters, has them judged, and keeps the result."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.light.sky.nights import NOON, Night, Place, night
from lamplighter_contract.quantities import Kind
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.compiling import middle
from lamplighter_controller.lighting.inventory import Cabinet, District, Inventory
from lamplighter_controller.lighting.proof import plans, records, store
from lamplighter_controller.lighting.proof.burning import Burning, Source, counted, integrated
from lamplighter_controller.lighting.proof.hands import of_night, stretched
from lamplighter_controller.lighting.proof.light.by_hand import Stretch
from lamplighter_controller.lighting.proof.light.fleet import Lamp, Served, fleet_of, lamps_of
from lamplighter_controller.lighting.proof.plans import Document
from lamplighter_controller.lighting.proof.reading import (
    CABINET_QUANTITIES,
    LAMP_QUANTITIES,
    Wanted,
    all_readings,
    by_device,
    last_registers,
    not_read_before,
)
from lamplighter_controller.lighting.proof.working import Burnt, Result, Working
from lamplighter_controller.series.port import Readings, Series
from lamplighter_controller.twin.columns import Twin

log = logging.getLogger(__name__)

HOLD_S: Final = 1_200.0  # what a reading says holds so long, real time: a heartbeat of 900 s and a late poll
LISTS_KEPT: Final = timedelta(days=92)
BURNED_KEPT: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class City:
    """What stands and what is served, as it was when the work began."""

    inventory: Inventory
    districts: Sequence[District]
    cabinets: Mapping[str, Cabinet]
    served: Served
    meters: frozenset[str]


@dataclass(frozen=True, slots=True)
class NightWork:
    """Works nights out, in civil time that runs at `rate`. Raises LedgerUnavailable, SeriesUnavailable."""

    ledger: Ledger
    series: Series
    twin: Twin
    clock: Clock
    zone: str
    rate: float = 1.0

    @property
    def hold_ms(self) -> int:
        """How long a reading says anything, civil time."""
        return round(HOLD_S * 1000 * self.rate)

    async def work_out(self, day: date, *, even_empty: bool) -> store.Night | None:
        """Judge a night by all readings that are stored, as far as it has come, and keep the result.

        None when there was no reading in it at all, unless `even_empty`.
        """
        city = await self._city()
        lamps = await asyncio.to_thread(lamps_of, city.inventory, city.districts, city.served)
        during = night(day, self._place(lamps, day))
        until_ms = min(self.clock.civil_ms(), during.end_ms)
        documents = await self.ledger.read(
            lambda connection: plans.documents(connection, self._wall(during.start_ms), self._wall(during.end_ms))
        )
        seen = await self.ledger.read(lambda connection: records.sightings(connection, during.start_ms, until_ms))
        hands = await self.ledger.read(lambda connection: of_night(connection, during, self._wall))
        by_hand = await asyncio.to_thread(stretched, hands, city.inventory, city.served.lamps, self._civil)
        working = await asyncio.to_thread(self._begun, lamps, documents, during, until_ms, by_hand)
        working.sightings = seen
        await asyncio.to_thread(working.silent, range(len(lamps)))
        await self._lamps(working, day)
        await self._meters(working, city)
        await self._circuits(working)
        if not (working.readings or even_empty):
            return None
        return await self._keep(working, day)

    def _place(self, lamps: Sequence[Lamp], day: date) -> Place:
        """The middle of the lamps; without any place, on the equator in the middle of the zone."""
        zone = ZoneInfo(self.zone)
        latitude, longitude = middle([lamp.place for lamp in lamps if lamp.place is not None])
        if latitude is None or longitude is None:
            offset = datetime.combine(day, NOON, zone).utcoffset() or timedelta(0)
            return Place(0.0, offset / timedelta(hours=1) * 15, zone)
        return Place(latitude, longitude, zone)

    async def _city(self) -> City:
        def work(connection: Connection) -> tuple[Inventory, list[District], dict[str, Cabinet]]:
            districts = [one for one in inventory_store.every(connection, District) if isinstance(one, District)]
            cabinets = [one for one in inventory_store.every(connection, Cabinet) if isinstance(one, Cabinet)]
            return inventory_store.inventory(connection), districts, {one.id: one for one in cabinets}

        inventory, districts, cabinets = await self.ledger.read(work)
        lamps, contactors, meters = dict[str, str](), dict[str, str](), set[str]()
        places: dict[str, tuple[float, float]] = {}
        for entry in self.twin.entries():
            gateway = self.twin.gateway_of(entry.device) or ""
            if entry.kind is Kind.LAMP:
                lamps[entry.device] = gateway
                if entry.latitude is not None and entry.longitude is not None:
                    places[entry.device] = (entry.latitude, entry.longitude)
            elif entry.kind is Kind.CIRCUIT:
                contactors[entry.device] = gateway
            elif entry.kind is Kind.CABINET:
                meters.add(entry.device)
        served = Served(lamps, contactors, places)
        return City(inventory, districts, cabinets, served, frozenset(meters | cabinets.keys()))

    def _wall(self, civil_ms: int) -> int:
        """Real time of a civil time, by the rate civil time runs at now."""
        return self.clock.wall_ms() + round((civil_ms - self.clock.civil_ms()) / self.rate)

    def _civil(self, wall_ms: int) -> int:
        """Civil time of a real time, by the rate civil time runs at now."""
        return self.clock.civil_ms() + round((wall_ms - self.clock.wall_ms()) * self.rate)

    def _begun(
        self,
        lamps: Sequence[Lamp],
        documents: Sequence[Document],
        during: Night,
        until_ms: int,
        by_hand: Mapping[str, Sequence[Stretch]],
    ) -> Working:
        civil = {one.published_ms: self._civil(one.published_ms) for one in documents}
        fleet = fleet_of(lamps, plans.given(documents, civil, during), during, by_hand)
        return Working(fleet, during, until_ms, self.hold_ms)

    async def _lamps(self, working: Working, day: date) -> None:
        devices = [lamp.device for lamp in working.fleet.lamps if lamp.device is not None]
        during = working.during
        wanted = Wanted(Kind.LAMP, LAMP_QUANTITIES, during.start_ms - self.hold_ms, working.until_ms)
        async for those, readings in all_readings(self.series, devices, wanted):
            burnt = await asyncio.to_thread(working.part, those, readings)
            await self.ledger.write(partial(_burn, working, day, burnt))

    async def _meters(self, working: Working, city: City) -> None:
        during, those = working.during, sorted(city.meters)
        for name in those:
            working.meter(city.cabinets.get(name, Cabinet(name)), None)
        wanted = Wanted(
            Kind.CABINET, CABINET_QUANTITIES, during.start_ms - store.AROUND_MS, during.end_ms + store.AROUND_MS
        )
        async for _, readings in all_readings(self.series, those, wanted):
            before = await last_registers(self.series, not_read_before(readings, during.start_ms), wanted.start_ms)
            await asyncio.to_thread(_meter, working, city.cabinets, readings, before)

    async def _circuits(self, working: Working) -> None:
        """Contactors of lamps that have no controller."""
        those = sorted({one.circuit for one in working.fleet.lamps if one.circuit is not None and one.device is None})
        wanted = Wanted(Kind.CIRCUIT, ("contactor_closed",), working.during.start_ms - self.hold_ms, working.until_ms)
        async for _, readings in all_readings(self.series, those, wanted):
            for name, its in by_device(readings):
                working.circuit(name, its)

    async def _keep(self, working: Working, day: date) -> store.Night:
        tariffs = await self.ledger.read(records.tariffs)
        baseline = await self.ledger.read(lambda connection: records.baseline(connection, day))
        result = await asyncio.to_thread(working.result, baseline, tariffs)
        through_ms = min(self.clock.civil_ms(), working.during.end_ms + store.AROUND_MS)
        during = working.during
        made = store.Night(day, during.start_ms, during.end_ms, through_ms, self.clock.wall_ms(), 1, due=False)
        return await self.ledger.write(partial(_kept, made, result))


def _kept(made: store.Night, result: Result, connection: Connection) -> store.Night:
    day = made.day
    former = store.night(connection, day)
    made = replace(made, passes=former.passes + 1) if former and former.over else made
    store.put_night(connection, made)
    store.put_tallies(connection, day, result.tallies)
    store.put_lamps(connection, day, result.lamps)
    store.put_energy(connection, day, result.energy)
    store.retire(connection, day - LISTS_KEPT, day - BURNED_KEPT)
    return made


def _burn(working: Working, day: date, burnt: Burnt, connection: Connection) -> None:
    """Bring burning hours up to date; what an earlier pass over this night has added is taken back."""
    known = records.burning(connection, list(burnt.summed))
    earlier = records.burned(connection, day, list(burnt.summed))
    found: list[Burning] = []
    added: dict[str, tuple[float, float]] = {}
    for lamp, gained in burnt.summed.items():
        before = known.get(lamp)
        device = working.fleet.lamps[working.fleet.rows[lamp]].device
        now = counted(lamp, device or "", burnt.counters.get(lamp, ()), before)
        if now is None:
            was = earlier.get(lamp, (0.0, 0.0))
            added[lamp] = gained
            now = integrated(lamp, device, working.until_ms, (gained[0] - was[0], gained[1] - was[1]), before)
        if now.source is Source.INTEGRATED or now != before:
            found.append(now)
    records.put_burning(connection, found)
    records.put_burned(connection, day, added)


def _meter(
    working: Working,
    cabinets: Mapping[str, Cabinet],
    readings: Readings,
    before: Mapping[str, tuple[int, float]],
) -> None:
    """Hand on what each meter has told."""
    inside = (readings.time_ms >= working.during.start_ms) & (readings.time_ms < working.during.end_ms)
    working.readings += int(inside.sum())
    for name, its in by_device(readings):
        working.meter(cabinets.get(name, Cabinet(name)), its, before.get(name))
