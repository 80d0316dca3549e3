"""What a truck can be found to have done, with the evidence a person needs to judge it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

RULES_VERSION: Final = 2


class Class(StrEnum):
    """Kinds of finding. Those about the tracker say what was seen of it, never why."""

    OVERSPEED = "overspeed"
    COVER_OPEN = "cover_open"
    LIFT_IN_MOTION = "lift_in_motion"
    DUMP_OUTSIDE = "dump_outside"
    MISSING_DUMP = "missing_dump"
    OFF_ROUTE = "off_route"
    NO_GO = "no_go"
    BANNED_HOURS = "banned_hours"
    POSITION_GAP = "position_gap"
    POSITION_JUMP = "position_jump"
    POSITION_FROZEN = "position_frozen"
    POWER_CUT = "power_cut"
    ANTENNA_FAULT = "antenna_fault"
    SENSOR_CONTRADICTION = "sensor_contradiction"
    OFFLINE_IGNITION = "offline_ignition"
    NO_PERMIT = "no_permit"
    PERMIT_EXPIRED = "permit_expired"
    PERMIT_SUSPENDED = "permit_suspended"
    OUTSIDE_HOURS = "outside_hours"  # days and hours of the permit
    WRONG_GROUND = "wrong_ground"


BY_REGISTER: Final = frozenset(  # what only a truck of the register can have done: of others nobody knows what they may
    {
        Class.DUMP_OUTSIDE,
        Class.MISSING_DUMP,
        Class.OFF_ROUTE,
        Class.NO_PERMIT,
        Class.PERMIT_EXPIRED,
        Class.PERMIT_SUSPENDED,
        Class.OUTSIDE_HOURS,
        Class.WRONG_GROUND,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One episode of one truck: begun, or over when `last_ms` is set. `score` from 0 to 1 is how sure it is."""

    truck: int
    kind: Class
    score: float
    first_ms: int
    last_ms: int | None = None
    place: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    evidence: Mapping[str, float | str | None] = field(default_factory=dict)
    rules: int = RULES_VERSION
