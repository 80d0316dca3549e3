"""A violation: one episode of one truck, as a person will judge it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a violation stands between a rule's word and its outcome."""

    CANDIDATE = "candidate"
    VALID = "reviewed_valid"
    INVALID = "reviewed_invalid"
    NOTIFIED = "notified"  # the company was told
    APPEAL = "appeal"
    HANDED_OVER = "handed_over"
    CASE = "case"  # it has a number in the case system
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Violation:
    """Times of the episode in civil epoch ms, `last_ms` None while it goes on; `found_ms` and `changed_ms` real.

    `times` counts equal episodes that followed within the window in which they are one. `kind` is the rule's class.
    """

    id: str
    truck: str
    company: str
    kind: str
    score: float
    first_ms: int
    last_ms: int | None
    found_ms: int
    changed_ms: int
    times: int = 1
    place: str | None = None
    place_version: int | None = None
    permit: str | None = None
    permit_version: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    rules: int = 1
    late: bool = False
    acted: bool = False
    state: State = State.CANDIDATE


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a violation's life; `time_ms` real."""

    state: State
    time_ms: int
    who: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)
