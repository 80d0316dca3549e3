"""Brings limits into effect and ends them. What should be true now is asked again and again, never remembered as done.

Each limit has a task of its own that lives until the truck's own status says it is over.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Final, Protocol

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.truck import interlock
from lamplighter_contract.truck.interlock import Deny, Locate, Send, Step, Verdict, Wait, Warn
from lamplighter_gateway.drivers.port import Outcome, Point, Trackers, Write, Written
from lamplighter_gateway.trucks.limits import POINTS, Limit, LimitKey, Sight, What, known

log = logging.getLogger(__name__)

STEP_S: Final = 1.0
WATCH_S: Final = 5.0
RELEASE_AGAIN_S: Final = 15.0
WRITE_S: Final = 60.0
LOCATE_S: Final = 10.0
OUTLIVED_S: Final = 60.0
SPOKEN: Final = {What.SPEED: "平台即将限速{target:g}公里每小时,请平稳减速", What.LIFT: "平台即将限制举升,请勿举升车厢"}


class Kept(Protocol):
    """Where limits are kept on disk."""

    @property
    def limits(self) -> Mapping[LimitKey, Limit]:
        """All that are not over."""

    async def release(self, key: LimitKey) -> None:
        """This one is to be over now."""

    async def note_limit(self, limit: Limit) -> bool:
        """Keep what was sent and what is confirmed; False: it was released or replaced meanwhile."""

    async def forget_limit(self, limit: Limit) -> None:
        """This one is over; a newer one in its place stays."""


Say = Callable[..., None]


@dataclass(slots=True)
class _Course:
    """How far one limit has come in this process start. `last` is the last bound that the truck's status proved."""

    command: str
    warned_ms: int | None = None
    last: Step | None = None
    reached: bool = False
    told: str = ""
    due_s: float | None = None
    outlived: bool = False


class LimitKeeper:
    """Follows every limit on disk."""

    def __init__(
        self,
        kept: Kept,
        trackers: Callable[[str], Trackers | None],
        clock: Clock,
        rate: float,
        say: Say,
        bounds: interlock.Bounds = interlock.DEFAULT,
    ) -> None:
        """`say` raises an event of a device."""
        self._kept, self._trackers, self._clock, self._rate = kept, trackers, clock, rate
        self._say, self._bounds = say, bounds
        self._courses: dict[LimitKey, _Course] = {}
        self._following: dict[LimitKey, asyncio.Event] = {}
        self._changed = asyncio.Event()
        self._outcomes: dict[tuple[str, str], asyncio.Future[tuple[CommandState, str]]] = {}

    async def run(self) -> None:
        """Follow limits until cancelled; due releases of the last process start go out first."""
        async with asyncio.TaskGroup() as group:
            while True:
                for key in sorted(self._kept.limits, key=self._urgency):
                    if key not in self._following:
                        self._following[key] = asyncio.Event()
                        group.create_task(self._follow(key), name=f"limit-{key[0]}-{key[1]}")
                await self._changed.wait()
                self._changed.clear()

    def look_again(self, device: str | None = None) -> None:
        """Something changed: a new limit, a release, or a truck that logged in."""
        self._changed.set()
        for (name, _), event in self._following.items():
            if device in (None, name):
                event.set()

    def outcome(self, command: str, device: str) -> "asyncio.Future[tuple[CommandState, str]]":
        """What becomes of a command's limit on a truck, and why; done once it is in effect or given up."""
        key = command, device
        if key not in self._outcomes:
            self._outcomes[key] = asyncio.get_running_loop().create_future()
        return self._outcomes[key]

    def sight(self, device: str) -> Sight:
        """What is known of a truck now."""
        trackers = self._trackers(device)
        reading = trackers.latest(device) if trackers is not None else None
        return Sight(reading, self._clock.civil_ms(), self._clock.wall_ms(), self._rate)

    def _urgency(self, key: LimitKey) -> bool:
        return not self._kept.limits[key].due(self._clock.civil_ms())

    async def _follow(self, key: LimitKey) -> None:
        event = self._following[key]
        while (limit := self._kept.limits.get(key)) is not None:
            event.clear()
            pause_s = await self._step(limit)
            try:
                async with asyncio.timeout(pause_s):
                    await event.wait()
            except TimeoutError:
                continue
        del self._following[key]
        self._courses.pop(key, None)

    async def _step(self, limit: Limit) -> float:
        trackers = self._trackers(limit.device)
        if trackers is None:  # its truck is no longer configured: what was sent stays owed until it is again
            if limit.sent is None:
                await self._kept.forget_limit(limit)
            return RELEASE_AGAIN_S
        course = self._courses.get(limit.key)
        if course is None or course.command != limit.command:
            course = self._begin(limit, course)
        if limit.due(self._clock.civil_ms()):
            return await self._end(limit, course, trackers)
        if course.reached:
            self._settle(limit, CommandState.VERIFIED, "")
            return WATCH_S
        if self._clock.wall_ms() >= limit.expires:
            return self._expired(limit, course)
        return await self._tighten(limit, course, trackers)

    def _begin(self, limit: Limit, before: _Course | None) -> _Course:
        """A new course; what was set before it, or before the last stop, stays in force, so it goes on from there."""
        if before is not None:
            self._tell(before.command, limit.device, CommandState.SUPERSEDED, "a newer limit took its place")
        last = None if limit.confirmed is None else Step(limit.confirmed, self._clock.wall_ms())
        gone = self.sight(limit.device).shows(limit.what) is False
        course = _Course(limit.command, last=last, reached=limit.confirmed == limit.target and not gone)
        self._courses[limit.key] = course
        return course

    async def _tighten(self, limit: Limit, course: _Course, trackers: Trackers) -> float:
        verdict = self._verdict(limit, course)
        match verdict:
            case Send(bound):
                await self._send(limit, course, trackers, bound)
            case Warn():
                await self._warn(limit, course, trackers)
            case Locate():
                self._held_back(limit, course, str(verdict.rule))
                if trackers.online(limit.device):
                    await trackers.read(limit.device, LOCATE_S)
            case Wait(rule):
                self._held_back(limit, course, str(rule))
            case Deny(rule, expected):
                self._settle(limit, CommandState.FAILED, f"{rule}: expected {expected}")
                await self._kept.release(limit.key)
        return STEP_S

    def _verdict(self, limit: Limit, course: _Course) -> Verdict:
        sight = self.sight(limit.device)
        truck = known(sight, limit)
        if limit.what is What.LIFT:
            return interlock.lift_limit(truck, sight.wall_ms, warned_ms=course.warned_ms, bounds=self._bounds)
        last = course.last if sight.shows(limit.what) else None  # a bound that is no longer in force leads nowhere
        return interlock.speed_limit(
            limit.target, truck, sight.wall_ms, warned_ms=course.warned_ms, last=last, bounds=self._bounds
        )

    async def _send(self, limit: Limit, course: _Course, trackers: Trackers, bound: float) -> None:
        if not self.sight(limit.device).shows(limit.what):  # what was proved before is no longer in force
            course.last, limit = None, replace(limit, confirmed=None)
        limit = replace(limit, sent=bound)
        if not await self._kept.note_limit(limit):  # from here on it may be in force, whatever is answered
            return
        fresh_s = self._bounds.fresh_s - self.sight(limit.device).age_s  # so long it is still known where the truck is
        again_by_s = self._clock.monotonic_s() + max(fresh_s, 0.0)
        written = await self._write(limit, trackers, 1.0 if limit.what is What.LIFT else bound, again_by_s)
        if written.outcome is not Outcome.VERIFIED:
            self._held_back(limit, course, written.reason or str(written.outcome))
            if written.reason == "acknowledged, but not in effect":
                self._say("truck.limit_not_in_effect", limit.device, what=str(limit.what), command=limit.command)
            return
        course.last = Step(bound, self._clock.wall_ms())
        await self._kept.note_limit(replace(limit, confirmed=bound))
        if bound == limit.target:
            course.reached = True
            self._say("truck.limit_in_effect", limit.device, what=str(limit.what), target=limit.target)
            self._settle(limit, CommandState.VERIFIED, "")

    async def _warn(self, limit: Limit, course: _Course, trackers: Trackers) -> None:
        text = SPOKEN[limit.what].format(target=limit.target)
        deadline_s = self._clock.monotonic_s() + LOCATE_S
        [told] = await trackers.write(
            [Write(limit.device, Point.SPEAK, 0.0, deadline_s, text)], lambda _device: None, broadcast=False
        )
        if told.outcome in (Outcome.APPLIED, Outcome.VERIFIED):
            course.warned_ms = self._clock.wall_ms()
        else:
            self._held_back(limit, course, f"the driver was not told: {told.reason}")

    async def _end(self, limit: Limit, course: _Course, trackers: Trackers) -> float:
        """Send the end until the truck's own status shows it; one that ends limits itself has its time for it first."""
        if course.due_s is None:
            course.due_s = self._clock.monotonic_s()
            self._settle(limit, CommandState.FAILED, "it ended before it was in effect")
        if limit.sent is None:  # nothing of it ever went out: what the truck may show is somebody else's
            return await self._over(limit)
        if not trackers.online(limit.device):
            self._outlived(limit, course)
            return RELEASE_AGAIN_S
        if trackers.ends_limits(limit.device) and not limit.released and not course.outlived:
            await trackers.read(limit.device, LOCATE_S)
            over = self.sight(limit.device).shows(limit.what) is False
        else:
            over = await self._let_go(limit, trackers)
        if over:
            return await self._over(limit)
        self._outlived(limit, course)
        return RELEASE_AGAIN_S

    async def _let_go(self, limit: Limit, trackers: Trackers) -> bool:
        """Send the end; from here on no bound is known to be in force, whatever is answered."""
        if limit.confirmed is not None:
            await self._kept.note_limit(replace(limit, confirmed=None))
        return (await self._write(limit, trackers, 0.0)).outcome is Outcome.VERIFIED

    async def _over(self, limit: Limit) -> float:
        self._say("truck.limit_released", limit.device, what=str(limit.what), command=limit.command)
        await self._kept.forget_limit(limit)
        return 0.0

    def _outlived(self, limit: Limit, course: _Course) -> None:
        assert course.due_s is not None
        late_s = self._clock.monotonic_s() - course.due_s
        if not course.outlived and late_s >= OUTLIVED_S and self.sight(limit.device).shows(limit.what) is not False:
            course.outlived = True
            self._say("truck.limit_outlived", limit.device, what=str(limit.what), command=limit.command)
            log.warning("%s: its limit of %s should be over and is not", limit.device, limit.what)

    def _expired(self, limit: Limit, course: _Course) -> float:
        """Too late to tighten anything. What was set on the way stands until the limit's end or its release."""
        if self.sight(limit.device).shows(limit.what):
            course.reached = True
            self._settle(limit, CommandState.UNCONFIRMED, "a limit is in force, perhaps not yet the one asked for")
        elif limit.sent is not None and self.sight(limit.device).shows(limit.what) is None:
            self._settle(limit, CommandState.UNCONFIRMED, "it was sent, and nothing was heard of the truck since")
        else:
            self._settle(limit, CommandState.FAILED, f"held back until it expired: {course.told or 'not tried'}")
        return WATCH_S

    async def _write(self, limit: Limit, trackers: Trackers, value: float, again_by_s: float = inf) -> Written:
        deadline_s = self._clock.monotonic_s() + WRITE_S
        [written] = await trackers.write(
            [Write(limit.device, POINTS[limit.what], value, deadline_s, again_by_s=again_by_s)],
            lambda _device: None,
            broadcast=False,
        )
        return written

    def _held_back(self, limit: Limit, course: _Course, why: str) -> None:
        if why != course.told:
            course.told = why
            self._say("truck.limit_held_back", limit.device, what=str(limit.what), why=why)

    def _settle(self, limit: Limit, state: CommandState, reason: str) -> None:
        self._tell(limit.command, limit.device, state, reason)

    def _tell(self, command: str, device: str, state: CommandState, reason: str) -> None:
        waiting = self._outcomes.pop((command, device), None)
        if waiting is not None and not waiting.done():
            waiting.set_result((state, reason))
