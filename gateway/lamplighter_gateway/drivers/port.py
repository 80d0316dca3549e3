"""What the rest of the gateway sees of a wire."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Any, Protocol, runtime_checkable

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.quantities import Kind

Value = float | int | bool | str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One device at one moment: canonical quantities in canonical units; None = not read.

    `time_ms` is civil epoch ms at the arrival of the answer's last byte; `quality` holds `Quality` bits.
    """

    device: str
    kind: Kind
    time_ms: int
    values: Mapping[str, Value]
    quality: int = 0


class Point(StrEnum):
    """What can be written to a device; the profile says how."""

    LEVEL = "level_percent"
    RESUME = "resume"
    IDENTIFY = "identify"
    CONTACTOR = "contactor_closed"
    SPEED_LIMIT = "limit_kmh"  # 0 = none
    LIFT_LIMIT = "lift_limited"
    SPEAK = "speak"


@dataclass(frozen=True, slots=True)
class Write:
    """Bring `point` of `device` to `value` (ignored where the profile fixes it) before `deadline_s` (monotonic).

    `text` is what is said where the point is `SPEAK`. What is true only for a while is not sent again after
    `again_by_s` (monotonic), and must not arrive later where that can be prevented.
    """

    device: str
    point: Point
    value: float
    deadline_s: float
    text: str = ""
    again_by_s: float = inf


class Outcome(StrEnum):
    """How a write ended."""

    VERIFIED = "verified"  # read back and equal
    APPLIED = "applied"  # the device confirmed it, and its profile has no read-back
    FAILED = "failed"  # the device did not take it, or something else was read back
    UNCONFIRMED = "unconfirmed"  # it may have acted: no answer


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one write; `reading` is the read-back where there was one. `answered`: the device did at all."""

    device: str
    outcome: Outcome
    reason: str = ""
    reading: Reading | None = None
    answered: bool = True


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A device that could not be read now, and why, in words."""

    device: str
    reason: str


@dataclass(frozen=True, slots=True)
class BusStatus:
    """One bus as an installer wants to see it; times in real seconds, `refusals` counted by reason.

    `turnaround_s` is what the slowest unit lately took to answer. `late` answers came after their time-out, `strays`
    are bursts of bytes that nobody here had asked for; `findings` say in words what that means.
    """

    bus: str
    wire: str
    connected: bool
    devices: int
    silent: tuple[str, ...]
    cycle_s: float
    utilisation: float
    requests: int
    timeouts: int
    crc_errors: int
    exceptions: int
    refused: int
    last_error: str
    refusals: tuple[tuple[str, int], ...] = ()
    turnaround_s: float = 0.0
    late: int = 0
    strays: int = 0
    findings: tuple[str, ...] = ()


Sink = Callable[[Sequence[Reading]], None]
Applied = Callable[[str], None]


class Driver(Protocol):
    """One bus. Readings of its polls go to the sink it was built with, in order of arrival."""

    async def run(self) -> None:
        """Serve the bus until cancelled; a dead bus is waited for, never an exception."""

    async def read(self, device: str, timeout_s: float) -> Reading | ReadFailed:
        """Read one device now, ahead of polls."""

    async def write(self, writes: Sequence[Write], applied: Applied, *, broadcast: bool) -> list[Written]:
        """Execute writes ahead of polls and read them back, one result per write in the same order.

        `applied` is called with each device once it has taken the value. `broadcast` says the caller allows one
        broadcast for the whole bus: every unit on it is a target, equal in point and value.
        """

    def status(self) -> BusStatus:
        """Counters and health since start."""


@dataclass(frozen=True, slots=True)
class Brought:
    """Something from a tracker that is no reading: a waybill, a driver's card, a photo. `content` is the photo's."""

    event: str
    detail: Mapping[str, str | float | int | bool | None]
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Instructed:
    """How an instruction to a tracker ended, and what it answered."""

    outcome: Outcome
    reason: str = ""
    told: Mapping[str, Value] = field(default_factory=dict)


@runtime_checkable
class Trackers(Driver, Protocol):
    """A bus of trucks. What they send is acknowledged to them only once it is durable, so it goes its own way."""

    def attach(
        self,
        store: Callable[[Sequence[Reading]], Awaitable[bool]],
        keep: Callable[[str, Brought], Awaitable[bool]],
        logged_in: Callable[[str], None],
    ) -> None:
        """Before it runs: where readings and other things become durable, and who is told of each log-in.

        What is brought by no device of ours is kept under the name "".
        """

    async def instruct(
        self, device: str, operation: Operation, args: Mapping[str, Any], timeout_s: float
    ) -> Instructed:
        """Have a terminal do what limits nobody: report more often, take a photo, watch a fence."""

    def latest(self, device: str) -> Reading | None:
        """The newest reading of a truck since the start."""

    def online(self, device: str) -> bool:
        """True while the truck can be reached."""

    def ends_limits(self, device: str) -> bool:
        """True when the terminal itself ends a limit."""

    def record_to(self, record: Callable[[str, bytes], None]) -> None:
        """Before it runs: who keeps frames as they came; a wire without frames has nothing to give."""

    def strangers(self) -> Sequence[Mapping[str, object]]:
        """Trackers that called and are not configured, for a person to adopt; who was silent longest first."""
