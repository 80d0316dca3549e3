"""An API over a real ledger and twin; the series and what sends commands are stand-ins in memory."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
from lamplighter_contract.commands.signing import KeysDocument, PublicKey, Signer, encode_key
from lamplighter_contract.geo.box import Box
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.api import City, Services, create_api
from lamplighter_controller.api.pace import Pace
from lamplighter_controller.api.services import Commands
from lamplighter_controller.config import DiagnosisConfig
from lamplighter_controller.diagnosis.engine import Around, Diagnosis, diagnosis
from lamplighter_controller.diagnosis.live.city import Rules
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis_setup import SupplyMap, sight_of
from lamplighter_controller.events import Events
from lamplighter_controller.fleet.cases.desk import CaseDesk
from lamplighter_controller.fleet.engine import Around as Supervised
from lamplighter_controller.fleet.engine import Fleet
from lamplighter_controller.fleet.evidence.desk import EvidenceDesk
from lamplighter_controller.fleet.evidence.ground import Around as Proving
from lamplighter_controller.fleet.evidence.shelf import Shelf
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.intake.journal import Journal
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
from lamplighter_controller.rollout.configs import ConfigKeeper
from lamplighter_controller.rollout.engine import RolloutKeeper
from lamplighter_controller.rollout.files import Bundles
from lamplighter_controller.security import enrolment, tokens
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.security.rights import Right
from lamplighter_controller.series.port import Readings
from lamplighter_controller.twin.columns import Twin
from tests.controller.api.memory import MemoryActions, MemoryCommands, MemoryLetters, MemorySeries
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
    return EvidenceDesk(Proving("centre", ledger, series, shelf, commands, KEY, lambda: KEYS_DOCUMENT, clock, zone))


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
        rollouts=RolloutKeeper(ledger, commands, gateways, Bundles(folder), alarms, clock, bytes),
        configs=ConfigKeeper(
            MemoryLink(), ledger, Signer("commands-1", bytes(32)), gateways, alarms, clock, actions.held
        ),
        session_key=bytes(32),
    )
    app = create_api(services, web, Pace(per_s=1.0, at_once=1_000_000))  # the clock stands still
    secret = await ledger.write(make_tokens(clock))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://controller") as client:
        yield World(app, services, client, ledger, twin, series, memory, actions, events, secret)
    await ledger.close()
