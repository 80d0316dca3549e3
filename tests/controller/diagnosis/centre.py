"""Diagnosis of a running city on a real ledger and series; gateways, intake and what commands do are played."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import nan
from pathlib import Path

import numpy as np

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.commands.model import CommandRequest, Request, Submitted
from lamplighter_controller.diagnosis.assembling import Places
from lamplighter_controller.diagnosis.engine import Around, Diagnosis, diagnosis
from lamplighter_controller.diagnosis.incidents.incident import Incident, State
from lamplighter_controller.diagnosis.live.city import Rules, Supply
from lamplighter_controller.diagnosis.live.collector import Sight
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace, ProtectorPlace
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.store import Wanted
from lamplighter_controller.events import Events, ReadingsStored
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.port import Readings, Series
from lamplighter_controller.series.settings import Retention, SeriesSettings
from lamplighter_controller.twin.columns import Twin
from tests.controller.ledgers import open_in

STEP_MS = 900_000
CIRCUITS = ("k-a", "k-b", "k-c")
LAMPS = tuple(f"l-{circuit[-1]}-{order:02}" for circuit in CIRCUITS for order in range(10))
LAMP_W = 100.0


def supply(*, isolates: bool = False) -> Supply:
    """One cabinet of three circuits with ten lamps each, behind one gateway."""
    places = Places(
        [
            LampPlace(name, name, "cab", f"k-{name[2]}", name[2], "f1", f"p-{name}", int(name[-2:]), "m", "gw")
            for name in LAMPS
        ],
        [CabinetPlace("cab", "cab", "", "gw", isolates)],
        [CircuitPlace(name, "cab", name[-1], "gw") for name in CIRCUITS],
        [ProtectorPlace("rcd", "cab")],
    )
    return Supply(places, {"m": LampModel("m", LAMP_W, "led", ((0, 1.0), (50, 51.0), (100, 100.0)))})


@dataclass
class PlayedCommands:
    """Takes every request, or refuses all; `lamps` follow what light is set."""

    refusing: bool = False
    taken: list[CommandRequest] = field(default_factory=list)
    on_taken: Callable[[CommandRequest], None] | None = None

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        self.taken.append(wanted)
        if self.refusing:
            return Refusal(Reason.OPERATION, f"{wanted.op} waits for its interlock")
        if self.on_taken is not None:
            self.on_taken(wanted)
        number = f"r-{len(self.taken)}"
        request = Request(number, wanted.op, wanted.args, wanted.reason, (), who, wanted.key, "", 0, 1)
        return Submitted(request, CommandState.CREATED, ())


@dataclass
class Centre:
    """The city's truth, told by `report`; `step` has it judged."""

    engine: Diagnosis
    ledger: Ledger
    series: Series
    events: Events
    commands: PlayedCommands
    clock: ManualClock
    random: np.random.Generator
    level: float = 100.0
    silent: set[str] = field(default_factory=set)
    unpowered: set[str] = field(default_factory=set)
    share: dict[str, float] = field(default_factory=dict)
    leakage: dict[str, float] = field(default_factory=dict)
    sight: Sight = Sight.HEARD
    rain_told: float = nan
    storing: bool = False  # only what is read back has to be stored
    known: Supply = field(default_factory=Supply)  # what the inventory has

    def drawn_w(self, name: str) -> float:
        return 0.0 if name in self.unpowered else LAMP_W * self.level / 100 * self.share.get(name, 1.0)

    def readings(self) -> list[Readings]:
        """What the gateway tells now: every lamp that answers, silence as such, the meter and the contactors."""
        now_ms = self.clock.civil_ms()
        quiet = np.array([name in self.silent | self.unpowered for name in LAMPS])
        watts = np.array([self.drawn_w(name) for name in LAMPS]) * (1 + 0.004 * self.random.standard_normal(30))
        volts = 230 + self.random.standard_normal(30)
        lamp = {
            "power_w": watts,
            "voltage_v": volts,
            "current_a": watts / volts / 0.95,
            "power_factor": np.full(30, 0.95),
            "desired_percent": np.full(30, self.level),
            "level_percent": np.full(30, self.level),
            "leakage_ma": 0.4
            + 0.02 * self.random.standard_normal(30)
            + [self.leakage.get(name, 0.0) for name in LAMPS],
        }
        lamp = {name: np.where(quiet & (name != "desired_percent"), np.nan, column) for name, column in lamp.items()}
        power = [sum(self.drawn_w(name) for name in LAMPS if name[2] == phase) * 1.03 for phase in "abc"]
        meter = {f"power_{phase}_w": np.array([power[place]]) for place, phase in enumerate("abc")}
        meter |= {f"voltage_{phase}_v": np.array([230.0]) for phase in "abc"}
        contactor = {"contactor_closed": np.ones(3), "circuit_current_a": np.array(power) / 230}
        return [
            _told(Kind.LAMP, LAMPS, now_ms, lamp, np.where(quiet, Quality.STALE, 0)),
            _told(Kind.CABINET, ["cab"], now_ms, meter, np.zeros(1)),
            _told(Kind.CIRCUIT, CIRCUITS, now_ms, contactor, np.zeros(3)),
        ]

    async def report(self, *, live: bool = True, heard: bool = True) -> None:
        """Have readings told, and stored where wanted."""
        told = self.readings()
        if self.storing:
            await self.series.write(told)
        for readings in told if heard else ():
            self.events.publish(ReadingsStored("gw", readings, live))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def step(self, times: int = 1) -> None:
        """Time passes, the gateway reports, and it is judged."""
        for _ in range(times):
            self.clock.advance(STEP_MS / 1000)
            await self.report()
            await self.engine.step()

    def open(self) -> list[Incident]:
        """Incidents that somebody has still to see to."""
        return [one for one in self.engine.desk.open() if one.is_open]

    def classes(self) -> list[tuple[str, str]]:
        """(class, element) of them."""
        return sorted((one.class_id, one.element.id) for one in self.open())

    def of(self, class_id: str) -> Incident:
        """The one open or cleared incident of a class."""
        (found,) = [one for one in self.engine.desk.open() if one.class_id == class_id]
        return found

    async def kept(self) -> list[Incident]:
        """What the ledger has."""
        found, _ = await self.engine.desk.find(Wanted(frozenset(State), withheld=True), 0, 1000)
        return found


def _told(
    kind: Kind, devices: Sequence[str], now_ms: int, values: dict[str, np.ndarray], quality: np.ndarray
) -> Readings:
    columns = {name: column.astype(np.float64) for name, column in values.items()}
    return Readings(kind, list(devices), np.full(len(devices), now_ms, np.int64), columns, quality.astype(np.uint8))


@asynccontextmanager
async def open_centre(
    folder: Path,
    *,
    clock: ManualClock | None = None,
    isolates: bool = False,
    settings: Settings | None = None,
    tests_all_day: bool = False,
) -> AsyncIterator[Centre]:
    """A centre on stores in `folder`; opened again, it goes on from its checkpoint. Steps are taken by hand."""
    clock = clock or ManualClock()
    events, commands = Events(), PlayedCommands()
    ledger = await open_in(folder)
    series = await open_series(SeriesSettings(f"duckdb:///{folder / 'series.duckdb'}", retention=Retention(30, 60, 90)))

    async def find() -> Supply:
        return centre.known if centre else supply(isolates=isolates)

    centre: Centre | None = None

    async def rain_told() -> float:
        return centre.rain_told if centre else nan

    def sight(_: str) -> Sight:
        return centre.sight if centre else Sight.HEARD

    around = Around(ledger, series, Twin(), events, commands, clock, find, sight, rain_told)
    until_h = 24.0 if tests_all_day else 0.0
    rules = Rules(step_s=3600.0, step_ms=STEP_MS, dwell_s=0.2, tests_until_h=until_h)
    engine = diagnosis(around, folder, rules, settings or Settings(), 1.0)
    centre = Centre(engine, ledger, series, events, commands, clock, np.random.default_rng(5))
    centre.known = supply(isolates=isolates)
    running = asyncio.create_task(engine.run(), name="diagnosis")
    try:
        async with asyncio.timeout(20):
            await engine.began.wait()
        yield centre
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await engine.keep()
        await series.close()
        await ledger.close()
