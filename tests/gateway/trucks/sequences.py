"""One truck, its terminal and the real keeper of limits through random sequences of commands, fixes and faults.

The terminal keeps a record of all that reached it. Every rule that can be broken at a truck is checked against that
record and against what the truck had told last, not against what the keeper believes. The pace of an operator and the
second person (T-9) are the centre's.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from lamplighter_contract.quantities import Kind
from lamplighter_contract.truck.interlock import DEFAULT, STANDSTILL_KMH, Bounds
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Reading, Write, Written
from lamplighter_gateway.trucks.keeper import LimitKeeper
from lamplighter_gateway.trucks.limits import Limit, What
from tests.gateway.trucks.trucks import Disk
from tests.gateway.trucks.virtual import VirtualClock, VirtualLoop

TRUCK = "truck-1"
TUNNEL_NORTH = 36.7
TUNNEL = (((TUNNEL_NORTH, 117.0), (TUNNEL_NORTH, 117.5), (36.8, 117.5), (36.8, 117.0)),)
EXPIRES_S = 120.0
HEAL_S = 300.0
REPORT_S = 5.0
STEP_S = 1.0
GAIN_KMH = 5.0  # what a truck gains or loses in a second
ROUNDING_KMH = 1e-6

Op = tuple[str, Any]


@dataclass
class Terminal:
    """What is true of the truck, and how its terminal fails it. A bound of 0 is none."""

    clock: VirtualClock
    ends_limits: bool = False
    lies: bool = False
    online: bool = True
    fix: bool = True
    tunnel: bool = False
    knows_speed: bool = True
    mute: bool = False  # it takes what it is sent, and tells nothing
    stubborn: bool = False  # its engine does not obey the bound that it shows
    speed_kmh: float = 40.0
    wanted_kmh: float = 40.0
    lift: str = "flat"
    limit: float = 0.0
    lift_limited: bool = False
    foreign: bool = False
    losing: list[str] = field(default_factory=list)  # what becomes of the next writes: "all", or "answer" alone
    slow_s: float = 0.0
    ends_s: dict[What, float] = field(default_factory=dict)  # where it ends limits by itself
    last: Reading | None = None
    judged_by: Reading | None = None  # the last one when a write began its way
    judged_ms: int = 0
    written: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    told_s: dict[str, float] = field(default_factory=dict)  # when the driver was told of which limit last
    set_s: dict[float, float] = field(default_factory=dict)  # when each bound was set last

    # what the keeper sees of it

    async def write(self, writes: list[Write], applied: Any, *, broadcast: bool) -> list[Written]:
        [write] = writes
        judged_by, judged_ms = self.last, self.clock.civil_ms()
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if not self.online:
            return [Written(TRUCK, Outcome.FAILED, "not connected", answered=False)]
        loss = self.losing.pop() if self.losing else ""
        if loss != "all":
            self.judged_by, self.judged_ms = judged_by, judged_ms
            self._take(write)
        return [Written(TRUCK, Outcome.UNCONFIRMED, "no answer", answered=False) if loss else self._answer(write)]

    def _answer(self, write: Write) -> Written:
        if write.point is Point.SPEAK:
            return Written(TRUCK, Outcome.APPLIED)
        if self.mute:
            return Written(TRUCK, Outcome.UNCONFIRMED, "acknowledged, and nothing heard since", answered=False)
        shown = self.limit > 0 if write.point is Point.SPEED_LIMIT else self.lift_limited
        reading = self.report()
        if shown is bool(write.value):
            return Written(TRUCK, Outcome.VERIFIED, "", reading)
        return Written(TRUCK, Outcome.FAILED, "acknowledged, but not in effect", reading)

    async def read(self, device: str, timeout_s: float) -> Reading | ReadFailed:
        await asyncio.sleep(0.5)
        return self.report() if self.online and not self.mute else ReadFailed(device, "not heard")

    def latest(self, device: str) -> Reading | None:
        return self.last

    # its own life

    def report(self) -> Reading:
        values: dict[str, Any] = {
            "lift": self.lift,
            "ignition": True,
            "speed_limited": self.limit > 0,
            "lift_limited": self.lift_limited,
            "limit_kmh": self.limit,
        }
        if self.fix:
            values |= {"latitude": TUNNEL_NORTH + 0.01 if self.tunnel else TUNNEL_NORTH - 0.01, "longitude": 117.12}
        if self.fix and self.knows_speed:
            values["speed_kmh"] = self.speed_kmh
        self.last = Reading(TRUCK, Kind.TRUCK, self.clock.civil_ms(), values)
        return self.last

    def drive(self) -> None:
        """One second; the engine's limit holds the truck back slowly, as torque does."""
        held = self.limit and not self.stubborn
        wanted = min(self.wanted_kmh, self.limit) if held else self.wanted_kmh
        change = max(-GAIN_KMH, min(GAIN_KMH, wanted - self.speed_kmh))
        self.speed_kmh += change
        now_s = self.clock.monotonic_s()
        if now_s >= self.ends_s.get(What.SPEED, now_s + 1) and not self.foreign:
            self.limit = 0.0
        if now_s >= self.ends_s.get(What.LIFT, now_s + 1):
            self.lift_limited = False

    # the record

    def _take(self, write: Write) -> None:
        self.written.append(f"{write.point} {write.value:g} at {self.clock.monotonic_s():g}")
        if write.point is Point.SPEAK:
            self.told_s["speed" if "限速" in write.text else "lift"] = self.clock.monotonic_s()
        elif write.point is Point.SPEED_LIMIT:
            self._bound(write.value)
        elif write.point is Point.LIFT_LIMIT:
            self._lock(bool(write.value))
        else:
            self._breaks("T-1", f"{write.point} was written")

    def _bound(self, bound: float) -> None:
        if self.foreign:
            self._breaks("foreign", f"a bound of {bound:g} against somebody else's limit")
        shown = self._shown()
        if bound == self.limit:
            return
        if bound and (shown == 0 or bound < shown):
            self._tightened(bound, shown)
        if not self.lies:
            self.limit = bound
            self.set_s[bound] = self.clock.monotonic_s()

    def _shown(self) -> float:
        """The bound in force by the last report; what the terminal forgot since then nobody can know."""
        return float(self.judged_by.values["limit_kmh"] or 0) if self.judged_by else 0.0

    def _tightened(self, bound: float, shown: float) -> None:
        speed = self._known("speed")
        if bound < DEFAULT.floor_kmh:
            self._breaks("T-1", f"{bound:g} km/h is nearly a brake")
        if speed is None:
            return
        slow = speed <= bound + DEFAULT.margin_kmh
        elapsed_s = self.clock.monotonic_s() - self.set_s.get(shown, 0.0)
        ramp = shown > 0 and shown - bound <= DEFAULT.ramp_kmh_per_s * elapsed_s + ROUNDING_KMH
        if not slow and not ramp:
            self._breaks("T-2", f"from {shown:g} to {bound:g} at {speed:g} km/h after {elapsed_s:g} s")
        if bound <= DEFAULT.severe_kmh and speed > STANDSTILL_KMH:
            self._breaks("T-2", f"{bound:g} km/h at {speed:g} km/h")

    def _lock(self, locked: bool) -> None:
        if locked and self._known("lift") != "flat":
            self._breaks("T-7", f"locked with a body that is {self._known('lift')}")
        if not self.lies:
            self.lift_limited = locked

    def _known(self, what: str) -> Any:
        """What the truck told of itself, which must be fresh and from where limits may be tightened."""
        told_s = self.told_s.get(what)
        if told_s is None or self.clock.monotonic_s() - told_s < DEFAULT.warning_s:
            self._breaks("T-4", f"the driver was told at {told_s}")
        values = self.judged_by.values if self.judged_by else {}
        latitude, speed = values.get("latitude"), values.get("speed_kmh")
        old_ms = self.judged_ms - self.judged_by.time_ms if self.judged_by else None
        if latitude is None or speed is None or old_ms is None or old_ms > DEFAULT.fresh_s * 1000:
            self._breaks("T-3", f"tightened by a report {old_ms} ms old, {values}")
            return None
        if float(latitude) > TUNNEL_NORTH:
            self._breaks("T-3", "tightened in a tunnel")
        return speed if what == "speed" else values.get("lift")

    def _breaks(self, rule: str, how: str) -> None:
        self.broken.append(f"{rule} at {self.clock.monotonic_s():g} s: {how}")


@dataclass
class Story:
    """A sequence as it goes on."""

    loop: VirtualLoop
    bounds: Bounds
    terminal: Terminal
    clock: VirtualClock
    disk: Disk = field(default_factory=Disk)
    commands: int = 0
    until_s: float = 0.0
    keeping: "asyncio.Task[None] | None" = None

    def begin(self) -> None:
        """A process start of the gateway; what it knew of the truck is gone."""
        self.terminal.last = None
        keeper = self.keeper = LimitKeeper(
            self.disk,
            lambda _device: self.trackers,  # type: ignore[arg-type, return-value]  # what the keeper needs of a bus
            self.clock,
            1.0,
            lambda *_event, **_detail: None,
            self.bounds,
        )
        self.keeping = self.loop.create_task(keeper.run(), name="limits")

    @property
    def trackers(self) -> "Trackers":
        return Trackers(self.terminal)

    async def stop(self) -> None:
        """The gateway is killed."""
        assert self.keeping is not None
        self.keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.keeping

    async def wait(self, seconds: float) -> None:
        """The truck drives on and reports."""
        for second in range(round(seconds)):
            self.terminal.drive()
            if self.terminal.online and not self.terminal.mute and second % REPORT_S == 0:
                self.terminal.report()
            await asyncio.sleep(STEP_S)

    def limit(self, what: What, target: float, lasts_s: float) -> None:
        self.commands += 1
        end_ms = self.clock.civil_ms() + round(lasts_s * 1000)
        expires_ms = self.clock.wall_ms() + round(EXPIRES_S * 1000)
        self.disk.put(Limit(TRUCK, what, target, end_ms, expires_ms, f"c{self.commands}", self.commands, closed=TUNNEL))
        self.until_s = max(self.until_s, self.clock.monotonic_s() + lasts_s)
        if self.terminal.ends_limits:
            self.terminal.ends_s[what] = self.clock.monotonic_s() + lasts_s
        self.keeper.look_again(TRUCK)

    async def release(self, what: What) -> None:
        if (TRUCK, what) in self.disk.limits:
            await self.disk.release((TRUCK, what))
        self.keeper.look_again(TRUCK)

    async def do(self, op: Op) -> None:
        """One step of the sequence."""
        name, value = op
        terminal = self.terminal
        if name == "limit":
            self.limit(What.SPEED, *value)
        elif name == "lock":
            self.limit(What.LIFT, 0.0, value)
        elif name == "release":
            await self.release(value)
        elif name == "restart":
            await self.stop()
            await self.wait(value)
            self.begin()
        elif name == "foreign":
            self._foreign()
        elif name == "lose":
            terminal.losing.extend(value)
        elif name == "forget":
            terminal.limit, terminal.lift_limited, terminal.foreign = 0.0, False, False
        elif name == "online":
            terminal.online = value
            if value:
                terminal.report()
                self.keeper.look_again(TRUCK)
        else:
            setattr(terminal, name, value)

    def _foreign(self) -> None:
        """Somebody else limits the truck; nobody can tell two limits apart, so only where none of ours may be."""
        limit = self.disk.limits.get((TRUCK, What.SPEED))
        if (limit is None or limit.sent is None) and self.terminal.limit == 0:
            self.terminal.limit, self.terminal.foreign = 30.0, True
            self.terminal.report()

    async def heal(self) -> None:
        """Everything works again, and all ends are past: nothing of ours may be left."""
        terminal = self.terminal
        if terminal.foreign:
            terminal.limit, terminal.foreign = 0.0, False
        terminal.losing.clear()
        terminal.online, terminal.fix, terminal.knows_speed, terminal.slow_s = True, True, True, 0.0
        terminal.lies, terminal.mute, terminal.stubborn = False, False, False
        end_s = max(self.until_s, self.clock.monotonic_s()) + HEAL_S
        while self.clock.monotonic_s() < end_s:
            for _ in range(round(REPORT_S)):
                terminal.drive()
            terminal.report()
            await asyncio.sleep(REPORT_S)
        if terminal.limit or terminal.lift_limited:
            terminal.broken.append(f"T-5: limit {terminal.limit:g}, lock {terminal.lift_limited} outlived their end")
        if self.disk.limits:
            terminal.broken.append(f"T-5: still owed: {list(self.disk.limits.values())}")


class Trackers:
    """The bus as the keeper wants it."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.write, self.read, self.latest = terminal.write, terminal.read, terminal.latest

    def online(self, _device: str) -> bool:
        return self._terminal.online

    def ends_limits(self, _device: str) -> bool:
        return self._terminal.ends_limits


def play(ops: list[Op], *, lift_lock: bool, ends_limits: bool) -> Terminal:
    """A whole sequence; the terminal's record tells which rules were broken."""
    loop = VirtualLoop()
    try:
        clock = VirtualClock(loop)
        terminal = Terminal(clock, ends_limits)
        story = Story(loop, replace(DEFAULT, lift_lock=lift_lock), terminal, clock)
        loop.run_until_complete(_play(story, ops))
    finally:
        loop.close()
    return terminal


async def _play(story: Story, ops: list[Op]) -> None:
    story.begin()
    for op in ops:
        if op[0] == "wait":
            await story.wait(op[1])
        else:
            await story.do(op)
    await story.heal()
    await story.stop()


def _ops() -> Iterator[st.SearchStrategy[Op]]:
    flag = st.booleans()
    losses = st.lists(st.sampled_from(["all", "answer", "", "all"]), min_size=1, max_size=4)
    limit = st.tuples(st.sampled_from([8.0, 10.0, 20.0, 25.0, 30.0, 40.0, 60.0]), st.integers(5, 300).map(float))
    for name, value in (
        ("wait", st.integers(1, 40)),
        ("wait", st.integers(5, 20)),
        ("limit", limit),
        ("limit", limit),
        ("lock", st.integers(5, 300).map(float)),
        ("release", st.sampled_from(What)),
        ("wanted_kmh", st.floats(0, 90)),
        ("wanted_kmh", st.just(0.0)),
        ("wanted_kmh", st.just(80.0)),
        ("lift", st.sampled_from(["flat", "raised", "unknown", "fault"])),
        ("restart", st.integers(0, 60)),
        ("foreign", st.none()),
        ("lose", losses),
        ("lose", losses),
        ("forget", st.none()),
        ("mute", flag),
        ("stubborn", flag),
        ("online", flag),
        ("fix", flag),
        ("tunnel", flag),
        ("knows_speed", flag),
        ("lies", flag),
        ("slow_s", st.sampled_from([0.0, 0.5, 3.0])),
    ):
        yield st.tuples(st.just(name), value)


SPEEDS = st.sampled_from([0.0, 30.0, 60.0, 80.0])
ON_THE_WAY = st.builds(
    lambda speed, target: [("wanted_kmh", speed), ("wait", 12), ("limit", (target, 300.0)), ("wait", 11)],
    SPEEDS,
    st.sampled_from([20.0, 30.0, 40.0]),
)
ANYTHING = st.lists(st.one_of(*_ops()), min_size=3, max_size=25)
SEQUENCES = st.builds(lambda first, then: [*first, *then], st.just([]) | ON_THE_WAY, ANYTHING)
