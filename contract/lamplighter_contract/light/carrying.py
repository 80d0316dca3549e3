"""Whether a wire can carry a show: how long the writes of each cue take on each bus, and who would come too late."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from lamplighter_contract.light.overrides import Members, devices_of
from lamplighter_contract.light.scenes import Cue
from lamplighter_contract.wire.documents import BusEntry, DeviceEntry

CHARACTER_BITS: Final = 11  # start, eight data, parity or a second stop, stop
FRAMES: Final = 8 + 8  # request and answer of Modbus function 06, in characters
FAST_BAUD: Final = 19_200
FAST_GAP_S: Final = 0.00175  # Modbus over serial line 1.02, 2.5.1.1: fixed above 19,200 baud
TURNAROUND_S: Final = 0.01  # what a common controller thinks before it answers
SETTLE_S: Final = 0.2  # nobody answers a broadcast: the bus is quiet until every unit has worked on it
TCP_WRITE_S: Final = 0.06  # a bridge with a serial line of 19,200 baud behind it
SERIAL: Final = "modbus-rtu"
TCP: Final = "modbus-tcp"
SLOWEST: Final = BusEntry("", SERIAL, 9_600)  # what a bus counts as that nobody declared


@dataclass(frozen=True, slots=True)
class Bus:
    """A bus by its name, all devices on it in the order they are written, and what one write costs."""

    name: str
    devices: tuple[str, ...]
    write_s: float
    broadcast: bool = False


@dataclass(frozen=True, slots=True)
class TooSlow:
    """A cue that a bus cannot carry before its next one; `lamp` is the first that would be too late. Real seconds."""

    bus: str
    lamp: str
    after_s: float
    writes: int
    needs_s: float
    has_s: float

    def __str__(self) -> str:
        """As a person reads it."""
        return (
            f"bus {self.bus}: the cue at {self.after_s:g} s needs {self.writes} writes of {self.needs_s:.1f} s, "
            f"its next cue comes after {self.has_s:.1f} s; {self.lamp} is the first that is too late"
        )


def write_s(bus: BusEntry) -> float:
    """Seconds of a bus for one level to one lamp, answer and silences included; a broker carries as fast as asked."""
    if bus.baud is not None:
        character_s = CHARACTER_BITS / bus.baud
        gap_s = FAST_GAP_S if bus.baud > FAST_BAUD else 3.5 * character_s
        return FRAMES * character_s + 2 * gap_s + TURNAROUND_S
    return TCP_WRITE_S if bus.wire == TCP else 0.0


def buses_of(gateway: str, entries: Iterable[DeviceEntry], declared: Iterable[BusEntry]) -> tuple[Bus, ...]:
    """The buses of a gateway by the addresses of what it serves; one nobody declared counts as a slow serial line."""
    known: Mapping[str, BusEntry] = {one.bus: one for one in declared}
    on: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        on[entry.address.partition("/")[0]].append(entry.device)
    return tuple(
        Bus(f"{gateway}/{name}", tuple(devices), write_s(known.get(name, SLOWEST)), known.get(name, SLOWEST).broadcast)
        for name, devices in on.items()
    )


def too_slow(cues: Sequence[Cue], groups: Members, buses: Iterable[Bus], rate: float = 1.0) -> Iterator[TooSlow]:
    """Cues that cannot be written before the next one of the same bus; `rate`: civil seconds in a real one."""
    told = [(cue, frozenset(devices_of(groups, cue.groups, cue.devices))) for cue in cues]
    for bus in buses:
        yield from _late_on(bus, told, rate)


def _late_on(bus: Bus, told: Sequence[tuple[Cue, frozenset[str]]], rate: float) -> Iterator[TooSlow]:
    """A ramp keeps its bus busy to its end, and then all lamps are written once more."""
    by_time: defaultdict[float, dict[str, float]] = defaultdict(dict)
    ramps: defaultdict[float, float] = defaultdict(float)
    for cue, devices in told:
        wanted = {lamp: cue.level_percent for lamp in bus.devices if lamp in devices}
        if wanted:
            by_time[cue.after_s].update(wanted)
            ramps[cue.after_s] = max(ramps[cue.after_s], cue.ramp_s)
    for after_s, next_s in pairwise(sorted(by_time)):
        has_s = (next_s - after_s - ramps[after_s]) / rate
        late = _late(bus, by_time[after_s], has_s)
        if late is not None:
            writes, needs_s = _work(bus, by_time[after_s])
            yield TooSlow(bus.name, late, after_s, writes, needs_s, max(has_s, 0.0))


def _work(bus: Bus, wanted: Mapping[str, float]) -> tuple[int, float]:
    """How many writes, and their seconds together."""
    if bus.broadcast and len(wanted) == len(bus.devices) and len(set(wanted.values())) == 1:
        return 1, bus.write_s + SETTLE_S
    return len(wanted), len(wanted) * bus.write_s


def _late(bus: Bus, wanted: Mapping[str, float], has_s: float) -> str | None:
    writes, needs_s = _work(bus, wanted)
    if needs_s <= has_s:
        return None
    in_time = int(max(has_s, 0.0) / needs_s * writes)
    return list(wanted)[0 if writes == 1 else in_time]
