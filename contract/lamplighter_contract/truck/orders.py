"""What may be asked of a truck's terminal, beside limits: fences it watches, parameters, alarms confirmed. Pure.

Nothing here limits a truck. The speed in a fence is the one above which the terminal raises an alarm.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import isfinite
from typing import Any, Final

from lamplighter_contract.wire.fields import is_plain

MOST_POINTS: Final = 100
MOST_IDS: Final = 32
MOST_CLOSED: Final = 40  # places where nothing is tightened, and corners of each
LONGEST_RADIUS_M: Final = 100_000
WIDEST_ROUTE_M: Final = 255
LAST_FENCE: Final = 2**32 - 1
LAST_PARAMETER: Final = 2**32 - 1

Check = Callable[[object], str | None]
_HOUR: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Shape(StrEnum):
    """What a fence is drawn as."""

    CIRCLE = "circle"
    RECTANGLE = "rectangle"
    POLYGON = "polygon"
    ROUTE = "route"


class Meaning(StrEnum):
    """What a fence is to the work of a truck; some terminals lift only within a ground and ask for its kind."""

    AREA = "area"
    SITE = "site"
    GROUND = "ground"
    PARKING = "parking"


class Crossing(StrEnum):
    """At which crossing of a fence the terminal raises its alarm."""

    NONE = "none"
    ENTER = "enter"
    LEAVE = "leave"
    BOTH = "both"


class Action(StrEnum):
    """What a terminal is told to do to itself; nothing that could cut it off from its platform."""

    RESET = "reset"


class Alarm(StrEnum):
    """Alarms that a platform confirms (JT/T 808-2013 table 28)."""

    EMERGENCY = "emergency"
    DANGER = "danger"
    AREA = "area"
    ROUTE = "route"
    SEGMENT_TIME = "segment_time"
    ILLEGAL_IGNITION = "illegal_ignition"
    ILLEGAL_MOVE = "illegal_move"


# What may be set, and within which bounds: nothing by which a truck could be lost, and nothing that limits it.
PARAMETERS: Final[Mapping[str, tuple[int, int]]] = {
    "heartbeat_s": (10, 600),
    "report_s": (1, 600),
    "asleep_report_s": (10, 86_400),
    "alarm_report_s": (1, 600),
    "corner_deg": (5, 180),
    "overspeed_kmh": (10, 120),
    "overspeed_after_s": (1, 600),
    "early_warning_tenth_kmh": (0, 200),
}
_POINTS_OF: Final = {
    Shape.CIRCLE: (1, 1),
    Shape.RECTANGLE: (2, 2),
    Shape.POLYGON: (3, MOST_POINTS),
    Shape.ROUTE: (2, MOST_POINTS),
}
_OWN: Final = {Shape.CIRCLE: "radius_m", Shape.ROUTE: "width_m"}


def one_of(words: type[StrEnum]) -> Check:
    """Checks for one of these words."""
    allowed = tuple(words)

    def check(value: object) -> str | None:
        return None if isinstance(value, str) and value in allowed else f"one of {', '.join(allowed)}"

    return check


def whole(minimum: int, maximum: int) -> Check:
    """Checks for a whole number."""

    def check(value: object) -> str | None:
        fits = type(value) is int and minimum <= value <= maximum
        return None if fits else f"a whole number from {minimum} to {maximum}"

    return check


def hour(value: object) -> str | None:
    """A time of each day, at +08:00 as terminals have it."""
    return None if isinstance(value, str) and _HOUR.fullmatch(value) else "a time of day such as 08:30"


def label(value: object) -> str | None:
    """A name that goes to the terminal."""
    fits = isinstance(value, str) and 0 < len(value) <= 32 and is_plain(value)
    return None if fits else "a name of at most 32 characters"


def alarms(value: object) -> str | None:
    """Some alarms, each once."""
    fits = isinstance(value, list | tuple) and 0 < len(value) <= len(Alarm)
    fits = fits and all(isinstance(one, str) and one in tuple(Alarm) for one in value)  # type: ignore[attr-defined]  # a list by now
    return None if fits else f"a list of {', '.join(Alarm)}"


def identities(value: object) -> str | None:
    """Numbers of parameters."""
    fits = isinstance(value, list | tuple) and 0 < len(value) <= MOST_IDS
    fits = fits and all(type(one) is int and 0 < one <= LAST_PARAMETER for one in value)  # type: ignore[attr-defined]  # a list by now
    return None if fits else f"at most {MOST_IDS} numbers of parameters"


def parameters(value: object) -> str | None:
    """Values by name, each within its bounds."""
    if not isinstance(value, Mapping) or not value:
        return f"values by name, of {', '.join(PARAMETERS)}"
    for name, number in value.items():
        if name not in PARAMETERS:
            return f"values by name, of {', '.join(PARAMETERS)}"
        wrong = whole(*PARAMETERS[name])(number)
        if wrong is not None:
            return f"{name}: {wrong}"
    return None


def points(value: object) -> str | None:
    """Latitude and longitude of each point, WGS-84."""
    fits = isinstance(value, list | tuple) and 0 < len(value) <= MOST_POINTS and all(map(_is_point, value))
    return None if fits else f"at most {MOST_POINTS} points [latitude, longitude], WGS-84"


def closed(value: object) -> str | None:
    """Outlines of places where no limit is tightened: tunnels, bridges, expressways, crossings."""
    fits = isinstance(value, list | tuple) and len(value) <= MOST_CLOSED
    fits = fits and all(points(one) is None and 3 <= len(one) <= MOST_CLOSED for one in value)  # type: ignore[attr-defined]  # a list by now
    return None if fits else f"at most {MOST_CLOSED} outlines of 3 to {MOST_CLOSED} points [latitude, longitude]"


def _is_point(value: object) -> bool:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return False
    return all(
        type(one) in {int, float} and isfinite(one) and abs(one) <= most
        for one, most in zip(value, (90, 180), strict=True)
    )


def fence(args: Mapping[str, Any]) -> str | None:
    """What is wrong with a fence whose parts are all right by themselves."""
    shape = Shape(args["shape"])
    least, most = _POINTS_OF[shape]
    if not least <= len(args["points"]) <= most:
        return f"a {shape} of {least if least == most else f'{least} to {most}'} points"
    for kind, name in _OWN.items():
        if (name in args) is not (kind is shape):
            return f"{name} with a {kind}, and with nothing else"
    return "begins and ends together, or neither" if ("begins" in args) is not ("ends" in args) else None


def tracking(args: Mapping[str, Any]) -> str | None:
    """Who stops tracking says no length of time."""
    return "no seconds where interval_s is 0" if args["interval_s"] == 0 and "seconds" in args else None
