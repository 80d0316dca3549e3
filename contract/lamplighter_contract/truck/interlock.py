"""The interlock: whether a truck may be limited now, and by how much; limits go out through nothing else.

The centre asks it before a command is made, the gateway again before anything goes to the terminal and at every step of
a ramp. It never brakes and never cuts fuel or ignition: there is no such request. It only sets upper bounds, and it
tightens one only while it knows where the truck is and how fast it goes. To loosen and to release is always allowed.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STANDSTILL_KMH: Final = 1.0
_S: Final = 1000


class Rule(StrEnum):
    """What holds a request back; each is told to the person who asked, in words of the language used there."""

    UNKNOWN = "unknown"  # speed or position is not known, or too old
    PLACE = "place"  # in a tunnel, on a bridge, an expressway or a crossing
    SEVERE = "severe"  # so low a limit begins at a standstill only
    UNWARNED = "unwarned"  # the driver was not told long enough ago
    RAMP = "ramp"  # the next step comes when the truck is slower, or later
    BODY = "body"  # the body is up, moving, or its state is not known
    FOREIGN = "foreign"  # somebody else's limit is in force
    FLOOR = "floor"  # lower than any limit the platform sets
    END = "end"  # no end, one in the past, or one too far away
    SWITCHED_OFF = "switched_off"  # lift locks are the terminal's own work unless they are switched on


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is allowed; speeds in km/h, times in real seconds, the end of a limit in civil seconds."""

    fresh_s: float = 10.0
    margin_kmh: float = 5.0
    severe_kmh: float = 20.0
    floor_kmh: float = 10.0
    ramp_kmh_per_s: float = 2.0
    step_kmh: float = 10.0
    warning_s: float = 10.0
    longest_s: float = 72 * 3600.0
    lift_lock: bool = False


DEFAULT: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a truck now. Times in real epoch ms; None = not known.

    `seen_ms` is when its last valid position was measured, `limit_kmh` the limit that its own status bits and we
    ourselves agree on, `foreign` that a limit is in force which we did not send.
    """

    seen_ms: int | None = None
    speed_kmh: float | None = None
    ignition: bool | None = None
    lift: str | None = None
    forbidden_place: bool = False
    limit_kmh: float | None = None
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The last bound that was sent on the way to a limit."""

    limit_kmh: float
    sent_ms: int


@dataclass(frozen=True, slots=True)
class Send:
    """Set this bound now."""

    limit_kmh: float


@dataclass(frozen=True, slots=True)
class Warn:
    """Tell the driver, then ask again after `after_s`."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Locate:
    """Ask the terminal where it is, then ask again."""

    rule: Rule = Rule.UNKNOWN


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now; it may be allowed later."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Deny:
    """Not in this way at all."""

    rule: Rule
    expected: str


Verdict = Send | Warn | Locate | Wait | Deny


def fresh(truck: Known, now_ms: int, bounds: Bounds = DEFAULT) -> bool:
    """True while speed and position are known and not too old; a time ahead of ours is no knowledge either."""
    if truck.seen_ms is None or truck.speed_kmh is None:
        return False
    return abs(now_ms - truck.seen_ms) <= bounds.fresh_s * _S


def check_end(until_ms: int | None, now_civil_ms: int, bounds: Bounds = DEFAULT) -> Deny | None:
    """Every limit ends: not in the past, and not too far away."""
    latest_ms = now_civil_ms + round(bounds.longest_s * _S)
    if until_ms is None or not now_civil_ms < until_ms <= latest_ms:
        return Deny(Rule.END, f"an end within {bounds.longest_s / 3600:g} h")
    return None


def speed_limit(
    target_kmh: float, truck: Known, now_ms: int, *, warned_ms: int | None, last: Step | None, bounds: Bounds = DEFAULT
) -> Verdict:
    """What to do next on the way to a limit; ask again until it sends the target itself.

    `warned_ms` is when the driver was told of this limit, `last` the step before; both None at first. Real epoch ms.
    """
    if target_kmh < bounds.floor_kmh:
        return Deny(Rule.FLOOR, f"at least {bounds.floor_kmh:g} km/h")
    if truck.foreign:
        return Deny(Rule.FOREIGN, "no limit of somebody else in force")
    if truck.limit_kmh is not None and target_kmh >= truck.limit_kmh:
        return Send(target_kmh)
    held = _held_back(truck, now_ms, bounds)
    if held is not None:
        return held
    assert truck.speed_kmh is not None
    if target_kmh <= bounds.severe_kmh and truck.speed_kmh > STANDSTILL_KMH:
        return Wait(Rule.SEVERE)
    return _warned(warned_ms, now_ms, bounds) or _ramp(target_kmh, truck.speed_kmh, now_ms, last, bounds)


def lift_limit(truck: Known, now_ms: int, *, warned_ms: int | None, bounds: Bounds = DEFAULT) -> Verdict:
    """Whether raising the body may be inhibited now; lowering it is never inhibited. `Send` carries no speed."""
    if not bounds.lift_lock:
        return Deny(Rule.SWITCHED_OFF, "lift locks of the platform switched on by the bureau")
    if truck.foreign:
        return Deny(Rule.FOREIGN, "no limit of somebody else in force")
    held = _held_back(truck, now_ms, bounds)
    if held is not None:
        return held
    if truck.lift != "flat":
        return Wait(Rule.BODY)
    return _warned(warned_ms, now_ms, bounds) or Send(0.0)


def _held_back(truck: Known, now_ms: int, bounds: Bounds) -> Locate | Wait | None:
    if not fresh(truck, now_ms, bounds):
        return Locate()
    return Wait(Rule.PLACE) if truck.forbidden_place else None


def _warned(warned_ms: int | None, now_ms: int, bounds: Bounds) -> Warn | Wait | None:
    if warned_ms is None or warned_ms > now_ms:
        return Warn(bounds.warning_s)
    return Wait(Rule.UNWARNED) if now_ms - warned_ms < bounds.warning_s * _S else None


def _ramp(target_kmh: float, speed_kmh: float, now_ms: int, last: Step | None, bounds: Bounds) -> Send | Wait:
    """Straight to the target when the truck is slow enough; else down by steps, each no faster than the ramp."""
    if speed_kmh <= target_kmh + bounds.margin_kmh:
        return Send(target_kmh)
    if last is None:
        return Send(max(target_kmh, speed_kmh))
    allowed_kmh = bounds.ramp_kmh_per_s * max(now_ms - last.sent_ms, 0) / _S
    remaining_kmh = last.limit_kmh - target_kmh
    step_kmh = min(bounds.step_kmh, remaining_kmh)
    if step_kmh <= 0:
        return Wait(Rule.RAMP)
    return Send(last.limit_kmh - step_kmh) if allowed_kmh >= step_kmh else Wait(Rule.RAMP)
