"""Scenes: named levels per group along a timeline, loaded ahead and run where the lamps are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import msgspec

from lamplighter_contract.light.adaptive import Devices, Groups
from lamplighter_contract.light.plans.programs import Name, Percent, RampSeconds
from lamplighter_contract.light.signals import Time

Seconds = Annotated[float, msgspec.Meta(ge=0, le=7 * 86_400)]


class Cue(msgspec.Struct, frozen=True, omit_defaults=True):
    """So long after the scene's start these lamps go to a level, by a straight ramp from their cue before."""

    after_s: Seconds
    level_percent: Percent
    ramp_s: RampSeconds = 0.0
    groups: Groups = ()
    devices: Devices = ()


class Scene(msgspec.Struct, frozen=True, omit_defaults=True):
    """Cues in order of time; it plays from `starts` until `ends` (civil epoch ms), else it waits to be given them."""

    id: Name
    cues: Annotated[tuple[Cue, ...], msgspec.Meta(min_length=1, max_length=5_000)]
    starts: Time | None = None
    ends: Time | None = None

    def __post_init__(self) -> None:
        """Refuse cues out of order and a scene without an end."""
        if any(after.after_s < before.after_s for before, after in pairwise(self.cues)):
            raise ValueError(f"scene {self.id}: cues are not in order of time")
        if (self.starts is None) != (self.ends is None):
            raise ValueError(f"scene {self.id}: starts and ends go together")
        if self.starts is not None and self.ends is not None and self.ends <= self.starts:
            raise ValueError(f"scene {self.id}: it ends before it starts")

    def plays(self, now_ms: int) -> bool:
        """True from its start until its end."""
        return self.starts is not None and self.ends is not None and self.starts <= now_ms < self.ends


@dataclass(frozen=True, slots=True)
class Played:
    """What a scene wants of a lamp now, and until when."""

    level_percent: float
    until_ms: int


def played(scene: Scene, cues: Sequence[Cue], now_ms: int) -> Played | None:
    """The level at which a playing scene has a lamp whose cues these are; None before its first cue."""
    assert scene.starts is not None
    assert scene.ends is not None
    elapsed_s = (now_ms - scene.starts) / 1000
    past = [cue for cue in cues if cue.after_s <= elapsed_s]
    if not past:
        return None
    following = next((cue for cue in cues[len(past) :]), None)
    until_ms = scene.ends if following is None else min(scene.ends, scene.starts + round(following.after_s * 1000))
    return Played(_reached(past, elapsed_s), until_ms)


def _reached(past: Sequence[Cue], elapsed_s: float) -> float:
    level_percent = past[0].level_percent
    for number, cue in enumerate(past[1:], start=1):
        until_s = past[number + 1].after_s if number + 1 < len(past) else elapsed_s
        share = 1.0 if until_s - cue.after_s >= cue.ramp_s else (until_s - cue.after_s) / cue.ramp_s
        level_percent += (cue.level_percent - level_percent) * share
    return level_percent
