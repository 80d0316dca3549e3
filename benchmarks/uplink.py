"""What a gateway with 92 lamps costs a day: bytes over a metered link, bytes written to flash, memory, packages.

The real gateway, the simulator's lamps and a real broker with TLS; every byte that passes the socket is counted, with
MQTT, TLS, acknowledgements and health. Civil time and every interval run thirty times as fast, so that half a minute is
a quarter of an hour. Half of the day is night: all lamps burn and their measurements are noisy.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import wait_for
from benchmarks.parts.centre import acknowledging
from benchmarks.parts.programs import PROFILES, ROOT_KEY, Gateway, Simulator, output, program
from benchmarks.parts.relay import Counted, relay
from benchmarks.parts.tls import TlsMosquitto
from lamplighter_contract.clock import CivilScale, encode_scale

LAMPS: Final = 92
RATE: Final = 30.0
MIB: Final = 2**20
MB: Final = 1e6
DAY_S: Final = 86_400.0
_TCP_IP: Final = 52 * 2  # a segment's headers, and those of the one that confirms it
_NIGHT_MS, _NOON_MS = 1_763_647_200_000, 1_763_611_200_000  # 22:00 and 12:00 in China, 20 November 2025
_REPORT: Final = {"interval_s": 60, "heartbeat_s": 900, "gather_s": 60, "health_s": 300}
_DAY: Final = {"interval_s": 900, "heartbeat_s": 3600}
_KEEPALIVE_S: Final = 120  # no ping between frames of every minute
_POLL_S: Final = 10
_SCENARIO: Final = """
scenario: uplink
seed: 92
place: {latitude: 36.65, longitude: 117.12}
gateways: 1
cabinets:
  - {wire: modbus-tcp, count: 1, lamps_each: 92}
lamps:
  - {model: LED 150, technology: led, rated_w: 150, share: 0.8}
  - {model: HPS 250, technology: hps, rated_w: 250, share: 0.2}
roads:
  - {zh: 试验路, en: Test Road}
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part of the day costs, as if all of the day were like it."""

    up_mb: float
    down_mb: float
    headers_mb: float
    flash_mb: float
    rss_mib: float

    def as_json(self) -> dict[str, float]:
        """For the figure's details."""
        return {name: round(getattr(self, name), 3) for name in ("up_mb", "down_mb", "headers_mb", "flash_mb")}


class _City(Simulator):
    """The simulator on our scenario and clock."""

    def __init__(self, scenario: Path, clock: Path) -> None:
        super().__init__()
        self._scenario, self._clock = scenario, clock

    def command(self) -> list[str]:
        """All of the scenario, on free ports, by the shared clock."""
        named = {"--scenario": self._scenario, "--directory": self.directory, "--clock": self._clock}
        return [program(self.program), "run", *(str(word) for pair in named.items() for word in pair)]


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of uplink."""
    with ExitStack() as parts:
        begun = {name: _begin(parts, civil_ms) for name, civil_ms in (("night", _NIGHT_MS), ("day", _NOON_MS))}
        time.sleep(effort.pick(45, 8))  # past the first word about every lamp
        costs = _measured(begun, effort.pick(120, 15))
    night, day = costs["night"], costs["day"]
    config = {
        "lamps": LAMPS,
        "report": _REPORT | {"day": _DAY, "compress": True},
        "keepalive_s": _KEEPALIVE_S,
        "times_as_fast": RATE,
        "night": night.as_json(),
        "day": day.as_json(),
        "not_counted": "TCP/IP headers, about headers_mb",
        "quick": effort.quick,
        "versions": versions("lamplighter-gateway", "aiomqtt", "paho-mqtt"),
    }
    total = sum(cost.up_mb + cost.down_mb for cost in costs.values()) / 2
    yield Figure("uplink.mb_per_day", total, "MB", config=config)
    yield Figure("uplink.flash_mb_per_day", (night.flash_mb + day.flash_mb) / 2, "MB", config=config)
    yield Figure("uplink.rss_mib", max(night.rss_mib, day.rss_mib), "MiB", config=config)
    names = closure("lamplighter-gateway")
    yield Figure("uplink.packages", len(names), "packages", config={"packages": sorted(names)})


def closure(name: str) -> set[str]:
    """A distribution and everything that installing it brings, by what their own metadata ask for here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = canonicalize_name(waiting.pop())
        if one in found:
            continue
        found.add(one)
        wanted = [Requirement(text) for text in metadata.requires(one) or ()]
        waiting += [need.name for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


def _begin(parts: ExitStack, civil_ms: int) -> tuple[Gateway, Counted]:
    """Everything that stands at one time of the day."""
    folder = Path(parts.enter_context(TemporaryDirectory()))
    scenario, clock = folder / "scenario.yaml", folder / "clock.json"
    scenario.write_text(_SCENARIO, encoding="utf-8")
    clock.write_bytes(encode_scale(CivilScale(RATE, civil_ms, round(time.time() * 1000))))
    (folder / "tls").mkdir()
    broker = parts.enter_context(TlsMosquitto(folder / "tls"))
    city = parts.enter_context(_City(scenario, clock))
    acknowledged = parts.enter_context(acknowledging(broker.port))
    counted = parts.enter_context(relay(broker.tls_port))
    config = _gateway(city, scenario, clock, counted, broker)
    gateway = parts.enter_context(Gateway(config))
    wait_for("the first word about every lamp", lambda: acknowledged.value >= LAMPS, 90)
    return gateway, counted


def _gateway(city: _City, scenario: Path, clock: Path, counted: Counted, broker: TlsMosquitto) -> Mapping[str, Any]:
    options = {
        "--scenario": scenario,
        "--gateway": "gw-1",
        "--endpoints": city.directory / "endpoints.json",
        "--data": "replaced",
        "--root-key": ROOT_KEY,
        "--profiles": PROFILES,
        "--poll-s": _POLL_S / RATE,
        "--clock": clock,
    }
    words = [str(word) for pair in options.items() for word in pair]
    config: dict[str, Any] = yaml.safe_load(output(program(city.program), "gateway-config", *words, "--no-names"))
    return config | {
        "uplink": {
            "host": "127.0.0.1",
            "port": counted.port.value,
            "tls": {"ca": str(broker.authority)},
            "keepalive_s": _KEEPALIVE_S,
        },
        "report": {name: value / RATE for name, value in _REPORT.items()}
        | {"day": {name: value / RATE for name, value in _DAY.items()}, "compress": True},
    }


def _measured(begun: Mapping[str, tuple[Gateway, Counted]], seconds: float) -> dict[str, Cost]:
    before = {name: (counted.now(), _written(gateway.pid)) for name, (gateway, counted) in begun.items()}
    begun_s = time.monotonic()
    time.sleep(seconds)
    days = (time.monotonic() - begun_s) * RATE / DAY_S
    costs = {}
    for name, (gateway, counted) in begun.items():
        (up, up_chunks, down, down_chunks), written = before[name]
        now = counted.now()
        chunks = now[1] - up_chunks + now[3] - down_chunks
        costs[name] = Cost(
            up_mb=(now[0] - up) / MB / days,
            down_mb=(now[2] - down) / MB / days,
            headers_mb=chunks * _TCP_IP / MB / days,
            flash_mb=(_written(gateway.pid) - written) / MB / days,
            rss_mib=psutil.Process(gateway.pid).memory_info().rss / MIB,
        )
    return costs


def _written(pid: int) -> int:
    """Bytes that a process caused to be written to storage so far."""
    written: int = psutil.Process(pid).io_counters().write_bytes
    return written
