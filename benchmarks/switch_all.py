"""Dimming a city by one API call: 40,000 lamps behind 400 gateways, from the call to the last read-back that is stored.

Everything is real but the wire: API, ledger, signatures, broker, 400 gateways with their disks; lamps are in memory.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import BenchmarkError, spent, wait_for
from benchmarks.parts.controller import Controller
from benchmarks.parts.gateways import Crew, Seen, connected, gateway_id, gateways, lamp_id
from lamplighter_contract.commands.states import FINAL
from tests.system.servers import Mosquitto

FULL: Final = 400
QUICK: Final = 40
LAMPS: Final = 100
PROCESSES: Final = 2  # of gateways; with the controller and the broker four
DEAF: Final = 20  # lamps that answer no write, and must be named
DIMMED_PERCENT: Final = 60
ONS_PER_S: Final = 5.0  # as a gateway has it unless told otherwise
_START_S: Final = 180.0
_END_S: Final = 600.0
_LOOK_S: Final = 0.5


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of switch-all."""
    count = round(effort.pick(FULL, QUICK))
    deaf = frozenset(lamp_id(number * count // DEAF, number % LAMPS) for number in range(DEAF))
    with _city(count, percent=100.0, deaf=deaf) as city:
        dimmed = city.set_level(DIMMED_PERCENT)
    with _city(count, percent=0.0, ons_per_s=ONS_PER_S) as city:
        on = city.set_level(100)
    config = {
        "lamps": count * LAMPS,
        "gateways": count,
        "processes": PROCESSES + 2,
        "path": "HTTP POST, ledger, signature, broker, gateway, its disk, lamp in memory, result, ledger",
        "answered_s": round(dimmed.answered_s, 2),
        "cpu_s": {name: round(cpu_s, 1) for name, cpu_s in dimmed.cpu_s.items()},
        "deaf": DEAF,
        "quick": effort.quick,
        "versions": versions("lamplighter-gateway", "lamplighter-controller", "fastapi", "sqlalchemy"),
    }
    ramp = {"switch-on with its ramp, s": round(on.seconds, 1), "ramp alone, s": LAMPS / ONS_PER_S}
    yield Figure("switch-all.seconds", dimmed.seconds, "s", ramp, config)
    unnamed = deaf ^ dimmed.unconfirmed
    lost = dimmed.total - dimmed.verified - len(dimmed.unconfirmed) + len(unnamed)
    named = {"unconfirmed and named": len(dimmed.unconfirmed), "lost of the switch-on": on.total - on.verified}
    yield Figure("switch-all.lost", lost, "lamps", named, config)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One command over all lamps: when the API had answered, when it knew every end, and what became of the lamps."""

    answered_s: float
    seconds: float
    total: int
    verified: int
    unconfirmed: frozenset[str]
    cpu_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class City:
    """The running parts."""

    controller: Controller
    broker: Mosquitto
    crews: list[Seen]

    def set_level(self, percent: int) -> Outcome:
        """Ask for a level of every lamp and follow it to its end."""
        before = self._cpu_s()
        until_ms = time.time_ns() // 1_000_000 + 3_600_000
        wanted = {"op": "light.set", "where": {"kind": "lamp"}, "reason": "benchmark"}
        args = {"level_percent": percent, "until": until_ms}
        begun_s = time.monotonic()
        answer = httpx.post(
            f"{self.controller.url}/commands",
            json={**wanted, "args": args},
            headers=self.controller.headers(),
            timeout=_END_S,
        )
        answered_s = time.monotonic() - begun_s
        if answer.is_error:
            raise BenchmarkError(f"the command was not taken: {answer.text[:500]}")
        request = answer.json()["request"]
        wait_for("the end of the command", self._ended, _END_S)
        seconds = time.monotonic() - begun_s
        cpu_s = {name: value - before[name] for name, value in self._cpu_s().items()}
        return self._outcome(request, answered_s, seconds, cpu_s)

    def _ended(self) -> bool:
        time.sleep(_LOOK_S)
        return self._states().keys() <= {state.value for state in FINAL}

    def _states(self) -> dict[str, int]:
        (newest,) = self.controller.ask("/commands?limit=1")["items"]
        found: dict[str, int] = newest["states"]
        return found

    def _outcome(self, request: str, answered_s: float, seconds: float, cpu_s: dict[str, float]) -> Outcome:
        full: dict[str, Any] = self.controller.ask(f"/commands/{request}")
        unconfirmed = frozenset(part["device"] for part in full["devices"] if part["state"] == "unconfirmed")
        return Outcome(answered_s, seconds, full["total"], full["states"].get("verified", 0), unconfirmed, cpu_s)

    def _cpu_s(self) -> dict[str, float]:
        families = {
            "controller": [self.controller.pid],
            "broker": [self.broker.pid],
            "gateways": [crew.process.pid for crew in self.crews if crew.process.pid],
        }
        return {name: spent(pids).cpu_s for name, pids in families.items()}


@contextmanager
def _city(count: int, *, percent: float, ons_per_s: float = 0.0, deaf: frozenset[str] = frozenset()) -> Iterator[City]:
    """All parts, until the controller knows the level of every lamp."""
    names = [gateway_id(number) for number in range(count)]
    cuts = [count * part // PROCESSES for part in range(PROCESSES + 1)]
    crews = [Crew(range(cuts[part], cuts[part + 1]), LAMPS, percent, ons_per_s, deaf) for part in range(PROCESSES)]
    with (
        Mosquitto(lines=["set_tcp_nodelay true"]) as broker,
        Controller(broker.port, names) as controller,
        tempfile.TemporaryDirectory() as folder,
        gateways(broker.port, controller.root_key(), Path(folder), crews) as seen,
    ):
        wait_for("every gateway at the broker", lambda: connected(seen) == count, _START_S)
        wait_for("every lamp in the controller", lambda: _known(controller) == count * LAMPS, _START_S)
        yield City(controller, broker, seen)


def _known(controller: Controller) -> int:
    time.sleep(_LOOK_S)
    columns = controller.ask("/latest?kind=lamp&quantities=level_percent")
    return sum(bool(time_ms) for time_ms in columns["time_ms"])
