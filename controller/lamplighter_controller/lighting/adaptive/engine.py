"""Tells gateways the signals their rules listen to: signed, retained, each with its end, renewed while it stands."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.light.adaptive import Adaptive
from lamplighter_contract.light.signals import Signal, SignalsDocument
from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.lighting import records
from lamplighter_controller.lighting.adaptive import store
from lamplighter_controller.lighting.adaptive.judging import Said
from lamplighter_controller.lighting.adaptive.rules import Source
from lamplighter_controller.lighting.adaptive.station import Standing, Station
from lamplighter_controller.link.port import Link, LinkDown, PublishDenied
from lamplighter_controller.twin.columns import Twin

log = logging.getLogger(__name__)

SHELF: Final = "signals"
LOOK_CIVIL_S: Final = 30.0
LOOK_LEAST_S: Final = 0.5
QUIET_S: Final = 600.0
CHANGE: Final = 0.02  # a light that changed by less than this share is told when it is renewed


class _Rules(msgspec.Struct, frozen=True):
    """The part of a plan that signals are for."""

    adaptive: tuple[Adaptive, ...] = ()


@dataclass(slots=True)
class SignalKeeper:
    """Hears inputs through its station, and tells gateways what they come to."""

    link: Link
    ledger: Ledger
    signer: Signer
    gateways: Gateways
    alarms: Alarms
    twin: Twin
    clock: Clock
    rate: float
    held: Callable[[], bool]
    station: Station = field(default_factory=Station)
    _told: dict[str, tuple[Signal, ...]] = field(default_factory=dict)
    _kept: dict[str, Signal] | None = None
    _taken_up: bool = False
    _rules: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something was said."""
        self._wake.set()

    async def connected(self) -> None:
        """The broker may have forgotten everything."""
        self._told.clear()
        self._wake.set()

    async def run(self) -> None:
        """Look and tell, for ever."""
        pause_s = max(LOOK_CIVIL_S / self.rate, LOOK_LEAST_S)
        while True:
            with contextlib.suppress(LedgerUnavailable, LinkDown):  # both are told by their rooms; we look again
                await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            self._wake.clear()

    async def sources(self) -> list[Source]:
        """The signals of the library."""
        await self._take_up()
        found = await self.ledger.read(lambda connection: records.shelved(connection, SHELF))
        return [one.item for one in found if isinstance(one.item, Source)]

    async def standings(self) -> list[Standing]:
        """Every signal as it stands now."""
        return self.station.standings(await self.sources(), self._read, self.clock.civil_ms())

    async def current(self) -> Mapping[str, Signal]:
        """The signals last told that still count."""
        kept = await self._remembered()
        return {name: one for name, one in kept.items() if one.until > self.clock.civil_ms()}

    async def look(self) -> None:
        """Tell whoever listens to a signal that changed or is to be renewed.

        Raises:
            LedgerUnavailable: the database does not answer.
            LinkDown: the connection to the broker was lost.
        """
        standings = await self.standings()
        await self.keep(one.source.id for one in standings)
        if self.held() or not self.link.up:
            return
        self._complain(standings)
        now_ms = self.clock.civil_ms()
        before = await self._remembered()
        known = {one.source.id: one for one in standings}
        kept = {name: one for name, one in before.items() if name in known and one.until > now_ms}
        fresh = {name: one.signal for name, one in known.items() if one.signal is not None}
        signals = kept | {name: one for name, one in fresh.items() if _worth(kept.get(name), one, now_ms)}
        await self._tell(signals, before)

    async def keep(self, known: Iterable[str]) -> None:
        """Have the ledger hold what was heard by these signals, so that a restart goes on from it.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        news, gone = self.station.news(), self.station.forget(known)
        news = {name: one for name, one in news.items() if name not in gone}
        if not news and not gone:
            return

        def work(connection: Connection) -> None:
            store.put_heard(connection, news)
            store.forget_heard(connection, gone)

        await self.ledger.write(work)
        self.station.is_kept(news)

    async def _take_up(self) -> None:
        if not self._taken_up:
            kept = await self.ledger.read(store.heard)
            self.station.take_up(kept)
            self._taken_up = True

    async def _tell(self, signals: dict[str, Signal], before: dict[str, Signal]) -> None:
        listeners = await self._listeners()
        due = {
            gateway: tuple(signals[name] for name in sorted(names & signals.keys()))
            for gateway, names in listeners.items()
            if gateway in self.gateways.enrolled
        }
        due = {gateway: told for gateway, told in due.items() if self._told.get(gateway, ()) != told}
        if not due and signals == before:
            return
        wall_ms = self.clock.wall_ms()

        def work(connection: Connection) -> dict[str, int]:
            store.put_signals(connection, signals.values())
            return {gateway: store.next_version(connection, gateway, wall_ms) for gateway in due}

        versions = await self.ledger.write(work)
        self._kept = signals
        for gateway, told in due.items():
            await self._send(SignalsDocument(gateway, versions[gateway], told))
            self._told[gateway] = told

    async def _send(self, document: SignalsDocument) -> None:
        payload = await asyncio.to_thread(self.signer.sign, document.as_json())
        try:
            await self.link.publish(down(document.gateway, Down.SIGNAL), payload, retain=True)
        except PublishDenied as error:
            self.alarms.raised("signals-denied", f"the broker refuses our signals: {error}", quiet_s=QUIET_S)

    async def _listeners(self) -> dict[str, frozenset[str]]:
        """Gateway -> names of the signals that rules of its plan listen to."""
        versions = {one.gateway: one.version for one in await self.ledger.read(records.in_force)}
        new = [name for name, version in versions.items() if self._rules.get(name, (0,))[0] != version]
        documents = await self.ledger.read(lambda connection: records.documents(connection, new)) if new else {}
        for gateway, document in documents.items():
            rules = msgspec.json.decode(document, type=_Rules).adaptive
            self._rules[gateway] = versions[gateway], frozenset(rule.signal for rule in rules)
        return {name: self._rules[name][1] for name in versions if name in self._rules}

    async def _remembered(self) -> dict[str, Signal]:
        if self._kept is None:
            self._kept = await self.ledger.read(store.signals)
        return self._kept

    def _read(self, sensor: str) -> Said | None:
        """What a device with a sensor of light measured last."""
        state = self.twin.state(sensor)
        lux = state.values.get("lux") if state is not None else None
        return None if state is None or lux is None else Said(lux, state.time_ms)

    def _complain(self, standings: list[Standing]) -> None:
        for one in standings:
            key = f"sensor:{one.source.id}"
            if one.broken and one.signal is not None:
                named = "; ".join(f"{name} {what}" for name, what in sorted(one.broken.items()))
                self.alarms.raised(key, f"signal {one.source.id}: {named}", quiet_s=QUIET_S)
            else:
                self.alarms.cleared(key)


def _worth(before: Signal | None, now: Signal, now_ms: int) -> bool:
    """True when a signal is news: another word, another light, or the end of the last one is near."""
    if before is None or before.until - now_ms < (now.until - now_ms) / 2:
        return True
    if isinstance(before.value, str) or isinstance(now.value, str):
        return before.value != now.value
    return abs(now.value - before.value) > CHANGE * max(abs(before.value), 1.0)
