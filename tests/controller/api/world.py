"""An API over a real ledger and twin; the series and what sends commands are stand-ins in memory."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from math import nan
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
from fastapi import FastAPI
from sqlalchemy import Connection

from lamplighter_contract.clock import Clock, ManualClock
from lamplighter_contract.commands.command import check_args
from lamplighter_contract.commands.signing import KeysDocument, PublicKey, Signer, encode_key
from lamplighter_contract.commands.states import CommandState, summary
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.geo.box import Box
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.api import City, Services, create_api
from lamplighter_controller.api.services import Commands
from lamplighter_controller.commands.model import CommandRequest, Order, Overview, Part, Request, Submitted
from lamplighter_controller.config import DiagnosisConfig
from lamplighter_controller.diagnosis.engine import Around, Diagnosis, diagnosis
from lamplighter_controller.diagnosis.live.city import Rules
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis_setup import SupplyMap, sight_of
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.events import CommandChanged, Events
from lamplighter_controller.fleet.cases.desk import CaseDesk
from lamplighter_controller.fleet.engine import Around as Supervised
from lamplighter_controller.fleet.engine import Fleet
from lamplighter_controller.fleet.evidence.desk import Around as Proving
from lamplighter_controller.fleet.evidence.desk import EvidenceDesk
from lamplighter_controller.fleet.evidence.shelf import Shelf
from lamplighter_controller.intake import letters
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways, Unheard
from lamplighter_controller.intake.journal import Journal
from lamplighter_controller.intake.replay import Outcome
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting.adaptive.engine import SignalKeeper
from lamplighter_controller.lighting.desk import PlanDesk
from lamplighter_controller.lighting.overrides.desk import OverrideDesk
from lamplighter_controller.lighting.proof.desk import ProofDesk
from lamplighter_controller.lighting.proof.night_work import NightWork
from lamplighter_controller.lighting.scenes.desk import SceneDesk
from lamplighter_controller.link.memory import MemoryLink
from lamplighter_controller.maintenance.around import Around as Maintaining
from lamplighter_controller.maintenance.engine import Maintenance
from lamplighter_controller.security import enrolment, tokens
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.security.tokens import Right
from lamplighter_controller.series.port import Aggregate, Readings, SeriesUnavailable, Windows
from lamplighter_controller.twin.columns import Twin
from tests.controller.ledgers import open_in

RATE = 60.0
ROOT_KEY = Signer("root", bytes(range(32)))
KEY = Signer("commands-1", bytes(32))
KEYS_DOCUMENT = ROOT_KEY.sign(KeysDocument(1, (PublicKey(KEY.kid, encode_key(KEY.public), 0, 2**52),)).as_json())
KEYS = Keys(KEY, KEYS_DOCUMENT, ROOT_KEY.public)
BOX = Box(36.0, 116.0, 37.0, 118.0)
LAMPS = [f"lamp-{cabinet:02}-{lamp:03}" for cabinet in (1, 2) for lamp in range(1, 6)]


def entry(device: str, kind: Kind = Kind.LAMP, latitude: float = 36.65, longitude: float = 117.12) -> DeviceEntry:
    lamp = kind is Kind.LAMP
    return DeviceEntry(
        device,
        kind,
        "lamp-single" if lamp else "cabinet-meter",
        f"{device}/1",
        ("light.set", "light.resume", "light.identify") if lamp else (),
        {"zh": "云杉路", "en": "Spruce Road"},
        latitude,
        longitude,
    )


def readings(
    kind: Kind, devices: Sequence[str], time_ms: int, values: Mapping[str, float], quality: int = 0
) -> Readings:
    n = len(devices)
    return Readings(
        kind,
        list(devices),
        np.full(n, time_ms, np.int64),
        {name: np.full(n, value) for name, value in values.items()},
        np.full(n, quality, np.uint8),
    )


@dataclass
class MemorySeries:
    """One reading a minute; every value is its minute's number."""

    available: bool = True
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    async def write(self, batches: Sequence[Readings]) -> None:
        raise AssertionError("the API writes no readings")

    async def range(
        self, kind: Kind, devices: Sequence[str], quantities: Sequence[str], start_ms: int, end_ms: int, limit: int
    ) -> Readings:
        self._ask("range", start_ms, end_ms, limit)
        time_ms = np.arange(start_ms, end_ms, 60_000, dtype=np.int64)[:limit]
        values = {name: np.arange(len(time_ms), dtype=np.float64) for name in quantities if name != "power_w"}
        return Readings(kind, [devices[0]] * len(time_ms), time_ms, values, np.zeros(len(time_ms), np.uint8))

    async def windows(
        self,
        kind: Kind,
        devices: Sequence[str],
        quantity: str,
        start_ms: int,
        end_ms: int,
        window_ms: int,
        aggregate: Aggregate,
    ) -> Windows:
        self._ask("windows", quantity, window_ms, aggregate)
        step = window_ms if quantity == "level_percent" else 2 * window_ms  # gaps in one of them
        start = np.arange(start_ms, end_ms, step, dtype=np.int64)
        return Windows([devices[0]] * len(start), start, np.full(len(start), 7.0))

    async def last(self, kind: Kind, since_ms: int) -> Readings:
        raise AssertionError("the API restores nothing")

    async def maintain(self, now_ms: int) -> None:
        raise AssertionError("the API keeps no house")

    async def close(self) -> None:
        return

    def _ask(self, *what: Any) -> None:
        self.asked.append(what)
        if not self.available:
            raise SeriesUnavailable("the series store does not answer")


class MemoryCommands:
    """Takes what the contract allows for devices of the twin, and moves when the test says so."""

    def __init__(self, twin: Twin, events: Events, clock: Clock) -> None:
        self.twin, self.events, self.clock = twin, events, clock
        self.taken: dict[str, Submitted] = {}

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        for known in self.taken.values():
            if wanted.key is not None and (known.request.key, known.request.who) == (wanted.key, who):
                same = dict(known.request.args) == dict(wanted.args)
                return (
                    replace(known, repeated=True) if same else Refusal(Reason.REPLAYED, "another request has this key")
                )
        refusal = check_args(wanted.op, wanted.args)
        strange = next((device for device in wanted.devices if self.twin.entry(device) is None), None)
        if refusal or strange:
            return refusal or Refusal(Reason.UNKNOWN_DEVICE, f"no gateway serves {strange}")
        return self._take(wanted, who)

    async def request(self, request: str) -> Submitted | None:
        return self.taken.get(request)

    async def recent(self, *, device: str | None = None, before: str | None = None, limit: int = 50) -> list[Overview]:
        found = [
            known
            for name, known in sorted(self.taken.items(), reverse=True)
            if (before is None or name < before)
            and (device is None or any(device in order.parts for order in known.orders))
        ]
        return [
            Overview(
                known.request,
                known.state,
                Counter(part.state for order in known.orders for part in order.parts.values()),
                devices[0] if len(devices := [name for order in known.orders for name in order.parts]) == 1 else None,
            )
            for known in found[:limit]
        ]

    def move(
        self,
        request: str,
        state: CommandState,
        reason: str = "",
        *,
        but: Mapping[str, tuple[CommandState, str]] | None = None,
    ) -> None:
        """Everything to `state`, but these devices to states of their own."""
        known = self.taken[request]
        other = but or {}
        orders = tuple(
            replace(
                order,
                state=state,
                parts={name: _moved(part, *other.get(name, (state, reason))) for name, part in order.parts.items()},
            )
            for order in known.orders
        )
        self.taken[request] = replace(known, state=summary(_states(orders)), orders=orders)
        for order in orders:
            changed = tuple((part.device, part.state, part.reason) for part in order.parts.values())
            self.events.publish(CommandChanged(request, order.id, order.gateway, state, changed))

    def _take(self, wanted: CommandRequest, who: str) -> Submitted:
        number = f"r-{len(self.taken):04}"
        now_ms = self.clock.wall_ms()
        request = Request(
            number,
            wanted.op,
            wanted.args,
            wanted.reason,
            wanted.approvals,
            who,
            wanted.key,
            "",
            now_ms,
            now_ms + round(wanted.expires_s * 1000),
        )
        by_gateway: dict[str, list[str]] = {}
        for device in wanted.devices:
            by_gateway.setdefault(self.twin.gateway_of(device) or "", []).append(device)
        orders = tuple(
            Order(
                f"{number}-{gateway}",
                request,
                gateway,
                len(self.taken) + 1,
                CommandState.CREATED,
                parts={device: Part(device, CommandState.CREATED) for device in devices},
            )
            for gateway, devices in by_gateway.items()
        )
        self.taken[number] = Submitted(request, CommandState.CREATED, orders)
        return self.taken[number]


def _moved(part: Part, state: CommandState, reason: str) -> Part:
    return replace(part, state=state, reason=reason)


def _states(orders: Sequence[Order]) -> frozenset[CommandState]:
    return frozenset(part.state for order in orders for part in order.parts.values())


@dataclass
class MemoryLetters:
    ledger: Ledger

    async def replay(self, ids: Sequence[int]) -> Sequence[Outcome]:
        kept = await self.ledger.read(lambda connection: letters.by_id(connection, ids))
        await self.ledger.write(lambda connection: letters.remove(connection, [item.id for item in kept]))
        there = {item.id for item in kept}
        return [Outcome(number, stored=number in there) for number in ids]


@dataclass
class MemoryActions:
    is_held: bool = False
    changes: int = 0
    backup_fails: bool = False
    unheard: tuple[str, ...] = ()

    async def enrolment_changed(self) -> None:
        self.changes += 1

    def held(self) -> bool:
        return self.is_held

    async def release(self, *, who: str, reason: str, anyway: bool) -> bool | Unheard:
        if self.unheard and not anyway:
            return Unheard(self.unheard)
        was, self.is_held = self.is_held, False
        return was

    async def backup(self, *, who: str) -> str:
        if self.backup_fails:
            raise ControllerError("no space left on device")
        return "2025-11-20T1300"


@dataclass
class World:
    """The API and everything behind it."""

    app: FastAPI
    services: Services
    client: httpx.AsyncClient
    ledger: Ledger
    twin: Twin
    series: MemorySeries
    commands: MemoryCommands
    actions: MemoryActions
    events: Events
    secret: dict[str, str]

    @property
    def clock(self) -> ManualClock:
        clock = self.services.clock
        assert isinstance(clock, ManualClock)
        return clock

    def bearer(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret[name]}"}

    async def get(self, path: str, name: str = "reader") -> httpx.Response:
        return await self.client.get("/api/v1" + path, headers=self.bearer(name))

    async def post(self, path: str, body: Any = None, name: str = "operator", **headers: str) -> httpx.Response:
        return await self.client.post("/api/v1" + path, json=body, headers=self.bearer(name) | headers)

    async def send(self, method: str, path: str, body: Any = None, name: str = "admin") -> httpx.Response:
        return await self.client.request(method, "/api/v1" + path, json=body, headers=self.bearer(name))

    def light(self, devices: Sequence[str], level: float, power: float, **more: float) -> None:
        values = {"level_percent": level, "power_w": power} | more
        self.twin.apply(
            readings(Kind.LAMP, devices, self.services.clock.civil_ms(), values), self.services.clock.monotonic_s()
        )


def make_tokens(clock: Clock) -> Callable[[Connection], dict[str, str]]:
    def work(connection: Connection) -> dict[str, str]:
        made = {}
        for name, rights in {
            "reader": {Right.READ},
            "operator": {Right.READ, Right.COMMAND},
            "admin": {Right.READ, Right.ADMIN},
            "nobody": {Right.COMMAND},
        }.items():
            token = tokens.create(
                connection, name, rights, who="test", reason="test", time_ms=clock.wall_ms(), random=os.urandom
            )
            assert isinstance(token, str)
            made[name] = token
        return made

    return work


def watching(
    ledger: Ledger,
    series: MemorySeries,
    twin: Twin,
    events: Events,
    commands: Commands,
    clock: Clock,
    gateways: Gateways,
    folder: Path,
) -> Diagnosis:
    """Diagnosis that nobody runs: incidents come by its desk alone."""
    found = SupplyMap(ledger, twin, DiagnosisConfig()).find
    around = Around(ledger, series, twin, events, commands, clock, found, partial(sight_of, gateways), nobody_tells)
    return diagnosis(around, folder, Rules(), Settings(), RATE)


async def nobody_tells() -> float:
    """Nobody says how the weather is."""
    return nan


def trucks(
    ledger: Ledger,
    series: MemorySeries,
    twin: Twin,
    events: Events,
    commands: Any,
    alarms: Alarms,
    clock: Clock,
    folder: Path,
) -> Fleet:
    """A fleet that nobody runs."""
    zone = ZoneInfo("Asia/Shanghai")
    return Fleet(
        Supervised(
            ledger, series, twin, events, commands, alarms, clock, Random(7), zone, RATE, BOX, folder, lambda _: True
        )
    )


def maintaining(
    ledger: Ledger,
    series: MemorySeries,
    twin: Twin,
    events: Events,
    commands: Any,
    alarms: Alarms,
    clock: Clock,
    folder: Path,
    watched: Diagnosis,
    proved: ProofDesk,
    rate: float,
) -> Maintenance:
    """Maintenance that nobody runs: what it does by itself it does when it is asked to look."""
    shelf = Shelf(folder / "maintenance", 100_000_000)
    shelf.open()
    numbers = count(1)
    around = Maintaining(
        ledger,
        series,
        twin,
        events,
        commands,
        watched,
        proved,
        alarms,
        clock,
        shelf,
        lambda: f"id-{next(numbers):04}",
        rate=rate,
    )
    return Maintenance(around, ("示例城", "Sample city"))


def proving(ledger: Ledger, series: MemorySeries, commands: Any, clock: Clock, folder: Path) -> EvidenceDesk:
    """Evidence in a folder of its own, signed with a key that a root vouches for."""
    shelf = Shelf(folder / "evidence", 100_000_000)
    shelf.open()
    zone = ZoneInfo("Asia/Shanghai")
    return EvidenceDesk(Proving("centre", ledger, series, shelf, commands, KEY, KEYS_DOCUMENT, clock, zone))


@asynccontextmanager
async def open_world(
    folder: Path,
    clock: Clock,
    served: Mapping[str, Sequence[DeviceEntry]],
    web: Path,
    dispatch: Callable[[Ledger, Twin, Events], Commands] | None = None,
    rate: float = RATE,
) -> AsyncIterator[World]:
    """An API with a ledger in `folder`, these devices by gateway, and the console in `web`.

    `dispatch` makes what takes commands, where those in memory are not enough.
    """
    events, twin, series, actions = Events(), Twin(), MemorySeries(), MemoryActions()
    ledger = await open_in(folder)
    journal = Journal(ledger)
    alarms = Alarms(clock, events, journal)
    gateways = Gateways(clock, events, alarms, journal)
    memory = MemoryCommands(twin, events, clock)
    commands = memory if dispatch is None else dispatch(ledger, twin, events)
    for gateway, entries in served.items():
        twin.adopt(gateway, entries)

    def enrol(connection: Connection) -> None:
        for gateway in served:
            enrolment.enrol(connection, gateway, who="test", reason="test", time_ms=clock.wall_ms())

    await ledger.write(enrol)
    gateways.enrol(frozenset(served))
    proved = ProofDesk(NightWork(ledger, series, twin, clock, "Asia/Shanghai", RATE))
    watched = watching(ledger, series, twin, events, commands, clock, gateways, folder)
    services = Services(
        controller="centre",
        keys=KEYS,
        clock=clock,
        city=City({"zh": "示例城", "en": "Sample city"}, rate=RATE, box=BOX),
        ledger=ledger,
        series=series,
        twin=twin,
        gateways=gateways,
        alarms=alarms,
        commands=commands,
        letters=MemoryLetters(ledger),
        events=events,
        actions=actions,
        plans=PlanDesk(ledger, twin, gateways, clock, "Asia/Shanghai", actions.held),
        overrides=OverrideDesk(ledger, twin, commands, clock),
        signals=SignalKeeper(
            MemoryLink(), ledger, Signer("commands-1", bytes(32)), gateways, alarms, twin, clock, RATE, actions.held
        ),
        scenes=SceneDesk(ledger, twin, gateways, clock, rate, lambda: None),
        proof=proved,
        diagnosis=watched,
        fleet=trucks(ledger, series, twin, events, commands, alarms, clock, folder),
        cases=CaseDesk(ledger, clock, lambda _violation: None),
        evidence=proving(ledger, series, commands, clock, folder),
        maintenance=maintaining(ledger, series, twin, events, commands, alarms, clock, folder, watched, proved, rate),
        session_key=bytes(32),
    )
    app = create_api(services, web)
    secret = await ledger.write(make_tokens(clock))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://controller") as client:
        yield World(app, services, client, ledger, twin, series, memory, actions, events, secret)
    await ledger.close()
