"""The table of faults, and when one of them holds. A new kind is one row here and one place that reads its column."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import Final, Protocol

from lamplighter_contract.quantities import Kind


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way of going wrong; `value` is its strength, in the unit that `title` names."""

    name: str
    title: str
    targets: frozenset[Kind]
    default: float = 1.0
    lowest: float = 1.0
    highest: float = 1.0


_LAMP: Final = frozenset({Kind.LAMP})
_CIRCUIT: Final = frozenset({Kind.CIRCUIT})
_CABINET: Final = frozenset({Kind.CABINET})
_ANSWERING: Final = frozenset({Kind.LAMP, Kind.CABINET})
_METERED: Final = frozenset({Kind.LAMP, Kind.CABINET})

KINDS: Final[dict[str, FaultKind]] = {
    kind.name: kind
    for kind in (
        FaultKind("silent", "does not answer", _ANSWERING),
        FaultKind("slow", "answers late by value milliseconds", _ANSWERING, 500, 1, 60_000),
        FaultKind("third_late", "gives every third answer value milliseconds late", _ANSWERING, 500, 1, 60_000),
        FaultKind("wrong_unit", "answers in the name of the unit value further on", _ANSWERING, 1, 1, 100),
        FaultKind("refuses", "answers every request with Modbus exception value", _ANSWERING, 4, 1, 11),
        FaultKind("dead_lamp", "is powered and gives no light", _LAMP),
        FaultKind("stuck_relay", "stays on when it is told to go off", _LAMP),
        FaultKind("open_relay", "stays off when it is told to go on", _LAMP),
        FaultKind("dead_driver", "its gear neither works nor answers", _LAMP),
        FaultKind("strings_open", "has lost value percent of its light source", _LAMP, 30, 1, 90),
        FaultKind("strings_shorted", "draws value percent less, part of its light source is bridged", _LAMP, 8, 1, 30),
        FaultKind("drift", "draws value percent less each day", _LAMP, 2, 0.1, 50),
        FaultKind("stuck_level", "keeps value percent whatever level it is told", _LAMP, 100, 1, 100),
        FaultKind("dead_capacitor", "draws idle current at unchanged power", _LAMP),
        FaultKind("cycling", "goes out after value minutes and strikes again", _LAMP, 12, 2, 60),
        FaultKind("bad_gear", "draws value watts and does not ignite", _LAMP, 12, 3, 40),
        FaultKind("dead_meter", "measures nothing but zero", _METERED),
        FaultKind("frozen_meter", "repeats its last measurement", _METERED),
        FaultKind("wrong_meter", "tells value percent too much power", _LAMP, 20, 5, 100),
        FaultKind("leak", "leaks value milliamperes to its pole", _LAMP, 30, 1, 1000),
        FaultKind("hot", "runs value degrees too hot and is throttled", _LAMP, 45, 5, 80),
        FaultKind("tilt", "leans by value degrees", _LAMP, 20, 1, 90),
        FaultKind("cable_cut", "its cable is cut before it: it and all behind it are without supply", _LAMP),
        FaultKind("bad_joint", "the joint before it has value ohms", _LAMP, 3, 0.1, 50),
        FaultKind("breaker_trip", "the circuit's breaker is open", _CIRCUIT),
        FaultKind("welded_contactor", "the contactor stays closed", _CIRCUIT),
        FaultKind("stolen_power", "somebody draws value watts from the cable", _CIRCUIT, 500, 10, 20_000),
        FaultKind("wet_cable", "the cable leaks value milliamperes", _CIRCUIT, 100, 5, 5000),
        FaultKind("supply_loss", "no phase has voltage", _CABINET),
        FaultKind("phase_loss", "phase value (1 to 3) has no voltage", _CABINET, 1, 1, 3),
        FaultKind(
            "neutral_loss", "the neutral is broken: phases 1 and 2 drift apart by value percent", _CABINET, 15, 5, 40
        ),
        FaultKind("undervoltage", "all phases are value percent low", _CABINET, 16, 3, 40),
        FaultKind("open_door", "the door stands open", _CABINET),
        FaultKind("line_noise", "value percent of the frames on its serial line are garbled", _CABINET, 10, 0.1, 100),
        FaultKind(
            "noise_byte", "value percent of the answers on its serial line follow a stray byte", _CABINET, 100, 0.1, 100
        ),
        FaultKind("line_echo", "its serial adapter hands back whatever is sent", _CABINET),
        FaultKind("second_master", "another master asks on its serial line every value ms", _CABINET, 300, 20, 60_000),
        FaultKind("line_short", "its serial line is shorted: nobody is heard", _CABINET),
        FaultKind("unplugged", "its serial adapter is not plugged in", _CABINET),
        FaultKind("stalled", "its Modbus TCP server accepts connections and says nothing", _CABINET),
    )
}


class FaultSpan(Protocol):
    """When a fault holds."""

    def holds(self, civil_ms: int, running_s: float) -> bool:
        """Whether it holds at this civil time, this many real seconds after the start."""


@dataclass(frozen=True, slots=True)
class RealSpan:
    """From `start_s` until before `end_s`, real seconds after the simulator's start."""

    start_s: float
    end_s: float

    def holds(self, civil_ms: int, running_s: float) -> bool:  # noqa: ARG002 - the other spans need civil time
        """Whether it holds now."""
        return self.start_s <= running_s < self.end_s


@dataclass(frozen=True, slots=True)
class CivilSpan:
    """From `start_ms` until before `end_ms`, civil."""

    start_ms: int
    end_ms: int

    def holds(self, civil_ms: int, running_s: float) -> bool:  # noqa: ARG002 - the other spans need real time
        """Whether it holds now."""
        return self.start_ms <= civil_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class DailySpan:
    """Every civil day from `start_ms` after local midnight, for `length_ms`."""

    zone: str
    start_ms: int
    length_ms: int

    def holds(self, civil_ms: int, running_s: float) -> bool:  # noqa: ARG002 - the other spans need real time
        """Whether it holds now."""
        now = dt.datetime.fromtimestamp(civil_ms / 1000, zoneinfo.ZoneInfo(self.zone))
        of_day_ms = round((now.hour * 3600 + now.minute * 60 + now.second) * 1000 + now.microsecond / 1000)
        return (of_day_ms - self.start_ms) % 86_400_000 < self.length_ms
