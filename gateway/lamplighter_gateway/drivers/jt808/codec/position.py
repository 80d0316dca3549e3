"""A position as plain JSON, alone or within another body."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lamplighter_gateway.drivers.jt808.codec.faults import Malformed, Refused
from lamplighter_gateway.drivers.jt808.codec.fields import Reader
from lamplighter_gateway.drivers.jt808.codec.location import (
    BASICS,
    Batch,
    Location,
    known_items,
    read_batch,
    read_location,
    write_batch,
    write_location,
)
from lamplighter_gateway.drivers.jt808.codec.status import alarms_of, states_of
from lamplighter_gateway.drivers.jt808.codec.values import BEIJING, time_from_text, time_ms


def position_json(location: Location) -> dict[str, Any]:
    """A position for people and programs: numbers as they came, their bits by name, items by id."""
    moment = location.time_ms
    told: dict[str, Any] = {
        "alarm": location.alarm,
        "alarms": alarms_of(location.alarm),
        "status": location.status,
        "states": states_of(location.status),
        "latitude": location.latitude,
        "longitude": location.longitude,
        "altitude_m": location.altitude_m,
        "speed_kmh": location.speed_kmh,
        "direction_deg": location.direction_deg,
        "time": None if moment is None else datetime.fromtimestamp(moment / 1000, BEIJING).isoformat(),
        **{name: round(value, 1) for name, value in known_items(location).items()},
        "items": [{"id": f"0x{number:02x}", "hex": value.hex()} for number, value in location.items],
    }
    if location.torn:
        told["torn"] = location.torn.hex()
    return told


def position_from_json(told: Mapping[str, Any]) -> Location:
    """A position from what `position_json` gives; bits by name and values of known items are not read back.

    Raises:
        KeyError, ValueError, TypeError: a part is missing or no such value.
    """
    return Location(
        told["alarm"],
        told["status"],
        told["latitude"],
        told["longitude"],
        told["altitude_m"],
        told["speed_kmh"],
        told["direction_deg"],
        time_ms(time_from_text(told["time"])),
        tuple((int(item["id"], 16), bytes.fromhex(item["hex"])) for item in told.get("items", ())),
        bytes.fromhex(told.get("torn", "")),
    )


@dataclass(frozen=True, slots=True)
class Position:
    """A position within a body: its 28 bytes, or with its items to the end of the body."""

    items: bool = False

    def read(self, reader: Reader) -> dict[str, Any]:
        """The position as JSON has it."""
        location = read_location(reader.take(reader.left() if self.items else BASICS.size))
        if isinstance(location, Refused):
            raise Malformed(location.fault, location.detail)
        return position_json(location)

    def write(self, value: Mapping[str, Any]) -> bytes:
        """Its bytes."""
        return write_location(position_from_json(value))


def batch_json(batch: Batch) -> dict[str, Any]:
    """The body of 0x0704 as JSON; what could not be read says why in its place."""
    return {
        "blind_area": batch.blind_area,
        "count": batch.declared,
        "locations": [
            {"error": str(one.fault), "detail": one.detail} if isinstance(one, Refused) else position_json(one)
            for one in batch.locations
        ],
    }


@dataclass(frozen=True, slots=True)
class Positions:
    """The whole body of 0x0704."""

    def read(self, reader: Reader) -> dict[str, Any]:
        """The batch as JSON has it."""
        batch = read_batch(reader.take(reader.left()))
        if isinstance(batch, Refused):
            raise Malformed(batch.fault, batch.detail)
        return batch_json(batch)

    def write(self, value: Mapping[str, Any]) -> bytes:
        """Its bytes."""
        return write_batch(
            tuple(position_from_json(one) for one in value["locations"]), blind_area=bool(value["blind_area"])
        )
