"""Canonical quantities: the names, units and bounds of everything a device can tell.

Names carry their unit (SI, IEC 61850-7-4 and TALQ 2.7.1 terms). Bounds are what physics allows a working instrument to
say, not what is healthy: a value outside them is refused at the wire and never reaches a store.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lamplighter_contract.level import Winner


class Kind(StrEnum):
    """What a reading is about. A circuit (contactor) is a device of its own, fed from a cabinet."""

    LAMP = "lamp"
    CABINET = "cabinet"
    CIRCUIT = "circuit"
    TRUCK = "truck"
    SENSOR = "sensor"


class Form(StrEnum):
    """How a quantity is written on the wire."""

    NUMBER = "number"  # finite int or float
    FLAG = "flag"  # true or false
    BITS = "bits"  # unsigned integer up to 53 bits
    CHOICE = "choice"  # one word of `choices`; stored as its index


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measurable thing. `minimum` and `maximum` in `unit`, both allowed."""

    name: str
    unit: str
    form: Form = Form.NUMBER
    minimum: float = -1e12
    maximum: float = 1e12
    choices: tuple[str, ...] = ()


def _number(name: str, unit: str, minimum: float, maximum: float) -> Quantity:
    return Quantity(name, unit, Form.NUMBER, minimum, maximum)


def _flag(name: str) -> Quantity:
    return Quantity(name, "", Form.FLAG, 0, 1)


def _bits(name: str) -> Quantity:
    return Quantity(name, "", Form.BITS, 0, 2**53 - 1)


def _choice(name: str, *choices: str) -> Quantity:
    return Quantity(name, "", Form.CHOICE, 0, len(choices) - 1, choices)


_LAMP: Final = (
    _flag("switched_on"),
    _number("level_percent", "%", 0, 100),
    _number("desired_percent", "%", 0, 100),
    _choice("desired_by", *(winner.value for winner in Winner)),
    _number("voltage_v", "V", 0, 1000),
    _number("current_a", "A", 0, 100),
    _number("power_w", "W", -100, 10_000),
    _number("power_factor", "", -1, 1),
    _number("energy_kwh", "kWh", 0, 1e9),
    _number("temperature_c", "°C", -60, 200),
    _number("leakage_ma", "mA", 0, 100_000),
    _number("burning_h", "h", 0, 1e6),
    _number("starts", "", 0, 1e9),
    _number("rssi_dbm", "dBm", -200, 20),
    _bits("fault_bits"),
    _number("supply_loss_count", "", 0, 1e9),
    _number("tilt_deg", "°", -180, 180),
)

_CABINET: Final = (
    *(_number(f"voltage_{phase}_v", "V", 0, 1000) for phase in "abc"),
    *(_number(f"current_{phase}_a", "A", 0, 5000) for phase in "abc"),
    *(_number(f"power_{phase}_w", "W", -5e6, 5e6) for phase in "abc"),
    *(_number(f"power_factor_{phase}", "", -1, 1) for phase in "abc"),
    _number("power_w", "W", -1e7, 1e7),
    _number("energy_kwh", "kWh", 0, 1e9),
    _number("frequency_hz", "Hz", 0, 100),
    _number("leakage_ma", "mA", 0, 1e6),
    _number("temperature_c", "°C", -60, 200),
    _flag("door_open"),
    _flag("water"),
    _number("lux", "lx", 0, 200_000),
)

_CIRCUIT: Final = (
    _flag("contactor_closed"),
    _number("circuit_current_a", "A", 0, 5000),
    _bits("breaker_bits"),
    _number("leakage_ma", "mA", 0, 1e6),
)

_TRUCK: Final = (
    _number("latitude", "°", -90, 90),
    _number("longitude", "°", -180, 180),
    _number("altitude_m", "m", -1000, 10_000),
    _number("speed_kmh", "km/h", 0, 400),
    _number("heading_deg", "°", 0, 360),
    _number("satellites", "", 0, 100),
    _flag("fix"),
    _flag("ignition"),
    _choice("lift", "flat", "raised", "fault", "unknown"),
    _choice("cover", "closed", "open", "fault", "unknown"),
    _choice("load", "empty", "half", "full", "fault", "unknown"),
    _flag("locked"),
    _flag("speed_limited"),
    _flag("lift_limited"),
    _number("limit_kmh", "km/h", 0, 400),
    _number("odometer_km", "km", 0, 1e7),
    _flag("power_cut"),
    _flag("antenna_fault"),
    _number("received", "ms", 0, 2**53),
)

QUANTITIES: Final[dict[Kind, dict[str, Quantity]]] = {
    kind: {quantity.name: quantity for quantity in quantities}
    for kind, quantities in {
        Kind.LAMP: _LAMP,
        Kind.CABINET: _CABINET,
        Kind.CIRCUIT: _CIRCUIT,
        Kind.TRUCK: _TRUCK,
        Kind.SENSOR: (),
    }.items()
}

_SENSOR_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED: Final = frozenset({"v", "seq", "boot", "kind", "sent", "device", "time", "quality"})


def quantity(kind: Kind, name: str) -> Quantity | None:
    """The quantity of that name, or None. A sensor's profile declares its own: any well-formed one is a number."""
    known = QUANTITIES[kind].get(name)
    if known is None and kind is Kind.SENSOR and name not in RESERVED and _SENSOR_NAME.fullmatch(name):
        return Quantity(name, "")
    return known
