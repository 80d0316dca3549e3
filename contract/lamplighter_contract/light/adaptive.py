"""Adaptive rules: what lux, fog and traffic change in the level a program asks for."""

from typing import Annotated

import msgspec

from lamplighter_contract.light.plans.programs import Levels, Name, RoadClass
from lamplighter_contract.light.signals import Signals
from lamplighter_contract.light.sky.moments import Minutes

Device = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Devices = Annotated[tuple[Device, ...], msgspec.Meta(max_length=10_000)]
Groups = Annotated[tuple[Name, ...], msgspec.Meta(max_length=1_000)]
Lux = Annotated[float, msgspec.Meta(ge=0, le=200_000)]


class Daylight(msgspec.Struct, frozen=True, tag_field="by", tag="lux", omit_defaults=True):
    """Light outside the program's hours when daylight fails: at once below `storm_lux`.

    Below `cloud_lux` it comes at most `early_min` before the program is lit, and stays as long after.
    """

    id: Name
    signal: Name
    levels: Levels
    cloud_lux: Lux
    storm_lux: Lux
    early_min: Minutes = 20.0
    groups: Groups = ()
    devices: Devices = ()

    def says(self, value: object) -> str | None:
        """None when a value is understood, else what is expected."""
        return None if isinstance(value, int | float) else "a number of lux"

    def level(self, value: object, base_percent: float, road_class: RoadClass | None, near_lit: bool) -> float | None:
        """The level wanted; None leaves it to the program. `near_lit`: the program is lit within `early_min`."""
        assert isinstance(value, int | float)
        wanted = self.levels.of(road_class)
        dark = value < self.storm_lux or (value < self.cloud_lux and near_lit)
        return wanted if dark and base_percent < wanted else None


class Fog(msgspec.Struct, frozen=True, tag_field="by", tag="fog", omit_defaults=True):
    """No dimming while the signal is above zero: a lit lamp is raised to these levels, one that is off stays off."""

    id: Name
    signal: Name
    levels: Levels
    groups: Groups = ()
    devices: Devices = ()

    def says(self, value: object) -> str | None:
        """None when a value is understood, else what is expected."""
        return None if isinstance(value, int | float) else "a number, 0 for no fog"

    def level(self, value: object, base_percent: float, road_class: RoadClass | None, near_lit: bool) -> float | None:  # noqa: ARG002 - one form for all rules
        """The level wanted; None leaves it to the program."""
        assert isinstance(value, int | float)
        wanted = self.levels.of(road_class)
        return wanted if value > 0 and 0 < base_percent < wanted else None


class Traffic(msgspec.Struct, frozen=True, tag_field="by", tag="traffic", omit_defaults=True):
    """Levels by the class of traffic that the signal names; a lamp that is off stays off."""

    id: Name
    signal: Name
    levels: Annotated[dict[str, Levels], msgspec.Meta(min_length=1, max_length=16)]
    groups: Groups = ()
    devices: Devices = ()

    def says(self, value: object) -> str | None:
        """None when a value is understood, else what is expected."""
        return None if value in self.levels else f"one of {', '.join(self.levels)}"

    def level(self, value: object, base_percent: float, road_class: RoadClass | None, near_lit: bool) -> float | None:  # noqa: ARG002 - one form for all rules
        """The level wanted; None leaves it to the program."""
        assert isinstance(value, str)
        return self.levels[value].of(road_class) if base_percent > 0 else None


Adaptive = Daylight | Fog | Traffic


def early_ms(rule: Adaptive) -> float:
    """How far around its lit hours a program is asked about by a rule, ms."""
    return rule.early_min * 60_000 if isinstance(rule, Daylight) else 0.0


def silent(rule: Adaptive, signals: Signals, now_ms: int) -> str | None:
    """Why a rule cannot speak now, None when it can."""
    signal = signals.get(rule.signal)
    if signal is None:
        return f"{rule.id}: no signal {rule.signal}"
    if now_ms >= signal.until:
        return f"{rule.id}: signal {rule.signal} has ended"
    expected = rule.says(signal.value)
    return None if expected is None else f"{rule.id}: {rule.signal} is {signal.value!r}, expected {expected}"
