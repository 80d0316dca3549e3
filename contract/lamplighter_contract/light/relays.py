"""Whether relays can follow a show: a lamp that goes off and on again needs its rest in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.light.overrides import Members, devices_of
from lamplighter_contract.light.scenes import Cue

REST_S: Final = 60.0  # civil seconds between two switchings, which every gateway keeps


@dataclass(frozen=True, slots=True)
class TooOften:
    """A cue that would switch relays again too soon; `lamp` is the first of `lamps`. Civil seconds."""

    lamp: str
    lamps: int
    after_s: float
    rested_s: float

    def __str__(self) -> str:
        """As a person reads it."""
        return (
            f"the cue at {self.after_s:g} s would switch relays of {self.lamps} lamps again after {self.rested_s:g} s, "
            f"expected at least {REST_S:g} s; {self.lamp} is the first (a low level instead of 0 switches none)"
        )


def too_often(cues: Sequence[Cue], groups: Members) -> Iterator[TooOften]:
    """Cues, in order of time, that switch a lamp off or on before its relay has rested since the cue before."""
    since: dict[str, tuple[bool, float]] = {}
    for cue in cues:
        lit = cue.level_percent > 0
        at_s = cue.after_s if lit else cue.after_s + cue.ramp_s  # a ramp down is over when the relay opens
        turned = [lamp for lamp in devices_of(groups, cue.groups, cue.devices) if since.get(lamp, (lit, 0))[0] != lit]
        tired = [lamp for lamp in turned if at_s - since[lamp][1] < REST_S]
        if tired:
            yield TooOften(tired[0], len(tired), cue.after_s, at_s - since[tired[0]][1])
        for lamp in devices_of(groups, cue.groups, cue.devices):
            if lamp in turned or lamp not in since:
                since[lamp] = (lit, at_s)
