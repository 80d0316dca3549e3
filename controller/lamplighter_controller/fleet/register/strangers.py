"""Terminals that nobody has put on record: refused at a gateway, or served by one and in no truck of the register."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, desc, select

from lamplighter_controller.intake.store import gateway_event

EVENT: Final = "truck.stranger"
MOST: Final = 1_000


class Standing(StrEnum):
    """How far a stranger has come."""

    REFUSED = "refused"  # a gateway does not know it; it needs a line in the gateway's devices
    SERVED = "served"  # a gateway serves it, the register has no truck with it


@dataclass(frozen=True, slots=True)
class Stranger:
    """One; `name` is its phone number, or what a served one is called. `last_ms` civil, None when only served."""

    name: str
    standing: Standing
    gateway: str
    last_ms: int | None = None
    told: Mapping[str, Any] | None = None


def refused(connection: Connection) -> list[Stranger]:
    """Those that gateways told of, the newest first, each once."""
    table = gateway_event.c
    query = select(gateway_event).where(table.event == EVENT).order_by(desc(table.number)).limit(MOST)
    found: dict[tuple[str, str], Stranger] = {}
    for row in connection.execute(query):
        detail = msgspec.json.decode(row.body).get("detail", {})
        name = str(detail.get("phone") or detail.get("truck") or "")
        if name:
            found.setdefault((row.gateway, name), Stranger(name, Standing.REFUSED, row.gateway, row.time_ms, detail))
    return list(found.values())


def device_line(stranger: Stranger, device: str, profile: str) -> Mapping[str, str]:
    """What the gateway's devices need so that it serves the terminal."""
    bus = str((stranger.told or {}).get("bus", ""))
    return {"id": device, "bus": bus, "profile": profile, "address": stranger.name}
