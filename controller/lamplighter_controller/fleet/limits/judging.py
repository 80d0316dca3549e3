"""Whether a limit may leave now: the interlock over what is known of the truck, and the pace of who asked. Pure."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lamplighter_contract.quantities import QUANTITIES, Kind
from lamplighter_contract.truck import interlock
from lamplighter_contract.truck.interlock import Bounds, Deny, Known, Verdict
from lamplighter_controller.fleet.limits.limit import Limit, What

TRUCKS_PER_MINUTE: Final = 5
MINUTE_MS: Final = 60_000
SETTLED_MS: Final = 60_000  # how long a truck's status may lag behind the end of a limit of ours
STATUS: Final = {What.SPEED: "speed_limited", What.LIFT: "lift_limited"}
_LIFTS: Final = QUANTITIES[Kind.TRUCK]["lift"].choices


@dataclass(frozen=True, slots=True)
class Sight:
    """What a truck last told; `seen_ms` real epoch ms of that, None when it never told anything."""

    seen_ms: int | None
    values: Mapping[str, float]

    def shows(self, what: What) -> bool | None:
        """What its own status says of a limit; None = nothing."""
        value = self.values.get(STATUS[what])
        return None if value is None else bool(value)


def is_foreign(sight: Sight, what: What, *, ours: bool, ended_ms: int | None) -> bool:
    """True when a limit is in force that we did not send; one of ours that has just ended is ours for a while."""
    if ours or sight.seen_ms is None or not sight.shows(what):
        return False
    return ended_ms is None or sight.seen_ms > ended_ms + SETTLED_MS


def known(
    sight: Sight, what: What, *, ours: Limit | None, foreign: bool, forbids: Callable[[float, float], bool]
) -> Known:
    """A truck as the interlock wants it. `ours` is the limit of ours in force, `forbids` tells of tunnels and such."""
    values = sight.values
    latitude, longitude = values.get("latitude"), values.get("longitude")
    placed = latitude is not None and longitude is not None
    lift = values.get("lift")
    ignition = values.get("ignition")
    in_force = ours is not None and sight.shows(what) is True and what is What.SPEED
    return Known(
        seen_ms=sight.seen_ms if placed else None,
        speed_kmh=values.get("speed_kmh"),
        ignition=None if ignition is None else bool(ignition),
        lift=None if lift is None else _LIFTS[int(lift)],
        forbidden_place=latitude is not None and longitude is not None and forbids(latitude, longitude),
        limit_kmh=ours.target if ours is not None and in_force else None,
        foreign=foreign,
    )


def verdict(limit: Limit, truck: Known, now: tuple[int, int], bounds: Bounds) -> Verdict:
    """What to do next for a limit that waits; `now` is real, civil ms."""
    wall_ms, civil_ms = now
    late: Deny | None = interlock.check_end(limit.until_ms, civil_ms, bounds)
    if late is not None:
        return late
    if limit.what is What.LIFT:
        return interlock.lift_limit(truck, wall_ms, warned_ms=limit.warned_ms, bounds=bounds)
    assert limit.target is not None
    return interlock.speed_limit(limit.target, truck, wall_ms, warned_ms=limit.warned_ms, last=None, bounds=bounds)


@dataclass(slots=True)
class Pace:
    """How many trucks each operator has limited in the last minute; times in real ms."""

    _sent: dict[str, deque[int]] = field(default_factory=dict)

    def allows(self, who: str, now_ms: int) -> bool:
        """True while another truck is within the pace."""
        sent = self._sent.get(who)
        while sent and sent[0] <= now_ms - MINUTE_MS:
            sent.popleft()
        return not sent or len(sent) < TRUCKS_PER_MINUTE

    def sent(self, who: str, now_ms: int) -> None:
        """One more."""
        self._sent.setdefault(who, deque()).append(now_ms)
