"""Where the proof of the light is asked for, and where people bring what goes into it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lamplighter_contract.light.sky.nights import NOON, date_of_night, local_ms
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.desk import NotTaken, Who
from lamplighter_controller.lighting.inventory import District, Luminaire, Road, Thing
from lamplighter_controller.lighting.proof import records, store
from lamplighter_controller.lighting.proof.burning import Burning, replaced
from lamplighter_controller.lighting.proof.light.evidence import Sighting
from lamplighter_controller.lighting.proof.light.listing import LampNight
from lamplighter_controller.lighting.proof.light.tally import By, Tally
from lamplighter_controller.lighting.proof.night_work import NightWork
from lamplighter_controller.lighting.proof.power.energy import Baseline, CabinetNight
from lamplighter_controller.lighting.proof.power.tariff import Tariff
from lamplighter_controller.security import audit

log = logging.getLogger(__name__)

FRESH_S: Final = 60.0  # tonight's figures are made anew when they are older, real time
MOST_BACK: Final = timedelta(days=14)

NAMED: Final[Mapping[By, type[Thing]]] = {By.ROAD: Road, By.DISTRICT: District}


@dataclass
class ProofDesk:
    """Nights, energy, hours. Raises LedgerUnavailable, and SeriesUnavailable where a night is worked out.

    `kept_days`: how long the series store keeps readings; nights older than that are not worked out again.
    """

    work: NightWork
    kept_days: int = 30
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _made_s: dict[date, float] = field(default_factory=dict)

    @property
    def tonight(self) -> date:
        """The date of the night around now, from noon on."""
        return date_of_night(self.work.clock.civil_ms(), ZoneInfo(self.work.zone))

    @property
    def last_over(self) -> date:
        """The date of the last night that is over."""
        return self.tonight - timedelta(days=1)

    @property
    def oldest(self) -> date:
        """The oldest night whose readings are surely all there."""
        return self.tonight - min(MOST_BACK, timedelta(days=self.kept_days - 1))

    def is_settled(self, day: date, after_ms: int) -> bool:
        """True when a night has been over for so long, civil time."""
        end_ms = local_ms(day + timedelta(days=1), NOON, ZoneInfo(self.work.zone))
        return self.work.clock.civil_ms() >= end_ms + after_ms

    async def night(self, day: date) -> store.Night | None:
        """A night that was worked out; tonight, and the last one, are worked out when that was not done yet."""
        found = await self._known(day)
        if not self._wanting(day, found):
            return found
        async with self._busy:  # whoever came before may have done it
            found = await self._known(day)
            return await self._worked(day, even_empty=True) if self._wanting(day, found) else found

    async def work_out(self, day: date, *, even_empty: bool = False) -> store.Night | None:
        """Work a night out from what is stored by now; one night at a time."""
        async with self._busy:
            return await self._worked(day, even_empty=even_empty)

    async def _known(self, day: date) -> store.Night | None:
        return await self.work.ledger.read(lambda connection: store.night(connection, day))

    def _wanting(self, day: date, found: store.Night | None) -> bool:
        if day == self.tonight:
            made_s = self._made_s.get(day)
            return found is None or made_s is None or self.work.clock.monotonic_s() - made_s > FRESH_S
        return day == self.last_over and (found is None or not found.over)

    async def _worked(self, day: date, *, even_empty: bool) -> store.Night | None:
        found = await self.work.work_out(day, even_empty=even_empty)
        if found is not None:
            self._made_s = {day: self.work.clock.monotonic_s()}
            log.info("the night of %s is worked out, pass %d%s", day, found.passes, "" if found.over else ", so far")
        return found

    async def again(self, day: date, who: Who) -> store.Night:
        """Work a night out because a person wants it.

        Raises:
            NotTaken: it has not begun, or its readings are no longer all there.
        """
        if not self.oldest <= day <= self.tonight:
            raise NotTaken([f"only nights from {self.oldest} to {self.tonight} can be worked out"])
        found = await self.work_out(day, even_empty=True)
        assert found is not None
        await self._changed(lambda _: None, who, "proof.work-out", f"night:{day}")
        return found

    async def nights(self, limit: int, before: date | None = None) -> list[store.Night]:
        """The newest nights that were worked out."""
        name = before.isoformat() if before else None
        return await self.work.ledger.read(lambda connection: store.nights(connection, limit, name))

    async def now_due(self, days: Iterable[date]) -> None:
        """More of these nights has come in; a pass under way may have missed it, and is waited for."""
        async with self._busy:
            await self.work.ledger.write(lambda connection: store.now_due(connection, days))

    async def tallies(self, day: date, by: By) -> list[Tally]:
        """Figures of a night by group."""
        return await self.work.ledger.read(lambda connection: store.tallies(connection, day, by))

    async def names(self, by: By) -> Mapping[str, str]:
        """What groups are called, by their keys."""
        kind = NAMED.get(by)
        if kind is None:
            return {}
        things = await self.work.ledger.read(lambda connection: inventory_store.every(connection, kind))
        return {thing.id: thing.name for thing in things if isinstance(thing, Road | District)}

    async def lamps(
        self, day: date, where: Mapping[str, str], longest: str | None, offset: int, limit: int
    ) -> tuple[list[LampNight], int]:
        """A page of the list behind the figures, and how many there are."""
        return await self.work.ledger.read(
            lambda connection: store.lamps(connection, day, where, longest, offset, limit)
        )

    async def hours(self, lamp: str | None, offset: int, limit: int) -> tuple[list[Burning], int]:
        """A page of burning hours, and how many there are."""
        return await self.work.ledger.read(lambda connection: records.burning_page(connection, lamp, offset, limit))

    async def element_replaced(self, lamp: str, who: Who) -> Burning | None:
        """Count a lamp's hours anew from now on: its element was replaced. None when nothing was counted of it."""

        def work(connection: Connection) -> Burning | None:
            found, _ = records.burning_page(connection, lamp, 0, 1)
            if not found:
                return None
            fresh = replaced(found[0], self.work.clock.civil_ms())
            records.put_burning(connection, [fresh])
            self._audit(connection, who, "proof.element-replaced", f"lamp:{fresh.lamp}")
            return fresh

        return await self.work.ledger.write(work)

    async def parts_replaced(self, lamps: Iterable[str], time_ms: int) -> None:
        """Count hours of all these anew: their parts were replaced at a time, and whoever was told has noted it."""
        wanted = list(lamps)

        def work(connection: Connection) -> None:
            found = [one for name in wanted for one in records.burning_page(connection, name, 0, 1)[0]]
            records.put_burning(connection, [replaced(one, time_ms) for one in found])

        await self.work.ledger.write(work)

    async def energy(self, first: date, last: date) -> tuple[int, list[date], list[CabinetNight]]:
        """Supply points' nights: how many nights were worked out, which were not, and all of them."""

        def work(connection: Connection) -> tuple[int, list[date], list[CabinetNight]]:
            days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
            known = {
                one.day
                for one in store.nights(connection, len(days), (last + timedelta(days=1)).isoformat())
                if one.over and one.day >= first
            }
            return len(known), [day for day in days if day not in known], store.energy(connection, first, last)

        return await self.work.ledger.read(work)

    async def saw(self, sightings: Sequence[Sighting], who: Who) -> list[tuple[int, str]]:
        """Take what a patrol saw, whole or not at all; returns the lamps that nobody knows, with their place."""

        def work(connection: Connection) -> list[tuple[int, str]]:
            known = {thing.id for thing in inventory_store.every(connection, Luminaire)}
            unknown = [
                (number, one.lamp)
                for number, one in enumerate(sightings)
                if one.lamp not in known and self.work.twin.entry(one.lamp) is None
            ]
            if not unknown:
                records.put_sightings(connection, sightings, who.name)
                self._audit(connection, who, "proof.patrol", f"{len(sightings)} sightings")
            return unknown

        unknown = await self.work.ledger.write(work)
        if not unknown:
            await self.now_due({self._night_of(one.time_ms) for one in sightings})
        return unknown

    async def tariffs(self) -> list[Tariff]:
        """Every version of every tariff."""
        return await self.work.ledger.read(records.tariffs)

    async def put_tariff(self, tariff: Tariff, who: Who) -> None:
        """Keep a version of a tariff that has no faults."""
        await self._put(tariff, who, f"tariff:{tariff.id}")

    async def remove_tariff(self, name: str, valid_from: date, who: Who) -> bool:
        """Take a version of a tariff away; False when there is none."""

        def work(connection: Connection) -> bool:
            gone = records.remove_setting(connection, records.TARIFF, name, valid_from.isoformat())
            if gone:
                self._audit(connection, who, "proof.remove-tariff", f"tariff:{name}")
            return gone

        gone = await self.work.ledger.write(work)
        if gone:
            await self._due_from(valid_from)
        return gone

    async def baseline(self, day: date) -> Baseline:
        """The baseline in force on a night."""
        return await self.work.ledger.read(lambda connection: records.baseline(connection, day))

    async def put_baseline(self, baseline: Baseline, who: Who) -> None:
        """State a baseline from a day on."""
        await self._put(baseline, who, "baseline")

    async def _put(self, setting: Tariff | Baseline, who: Who, subject: str) -> None:
        def work(connection: Connection) -> None:
            records.put_setting(connection, setting, who.name, self.work.clock.wall_ms())

        await self._changed(work, who, "proof.set", subject)
        await self._due_from(date.fromisoformat(setting.valid_from))

    async def _due_from(self, first: date) -> None:
        """What prices and baseline count for is worked out again, as far back as readings are there."""
        day = max(first, self.oldest + timedelta(days=1)) - timedelta(days=1)  # a day begins in the night before
        await self.now_due([day + timedelta(days=number) for number in range((self.tonight - day).days)])

    async def _changed(self, work: Callable[[Connection], Any], who: Who, action: str, subject: str) -> None:
        def audited(connection: Connection) -> None:
            work(connection)
            self._audit(connection, who, action, subject)

        await self.work.ledger.write(audited)

    def _night_of(self, time_ms: int) -> date:
        return date_of_night(time_ms, ZoneInfo(self.work.zone))

    def _audit(self, connection: Connection, who: Who, action: str, subject: str) -> None:
        audit.record(
            connection,
            who=who.name,
            action=action,
            subject=subject,
            reason=who.reason,
            result="done",
            detail=None,
            time_ms=self.work.clock.wall_ms(),
        )
