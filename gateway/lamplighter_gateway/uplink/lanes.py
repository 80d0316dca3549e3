"""Which frame goes next: three lanes with windows of their own. Pure; times in monotonic seconds."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lamplighter_contract.wire.limits import IN_FLIGHT_PER_LANE
from lamplighter_contract.wire.topics import Up
from lamplighter_gateway.spool.frames import URGENT, Class, Frame
from lamplighter_gateway.uplink.pace import Pace

READY: Final = 32  # frames of a lane in memory, besides those in flight
REFILL_BELOW: Final = 8
SENT_REMEMBERED: Final = 4096
BACKOFF_STEPS: Final = 4
JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class Timing:
    """How long live stays live, how long an ack is waited for at first, how fast backlog drains, how often health."""

    live_s: float = 10.0
    ack_timeout_s: float = 5.0
    backlog_per_s: float = 50.0
    backlog_delay_s: float = 5.0  # after an outage, a random part of it passes before the backlog begins
    health_s: float = 300.0


@dataclass(slots=True)
class Lane:
    """One lane. `behind`: the spool holds frames for it that are neither ready nor in flight."""

    ready: deque[tuple[Frame, float]] = field(default_factory=deque)
    flying: dict[int, float] = field(default_factory=dict)
    behind: bool = False
    window: int = IN_FLIGHT_PER_LANE
    backoff: int = 0

    def reset(self) -> None:
        """Forget what is in memory; the spool has it."""
        self.ready.clear()
        self.flying.clear()
        self.behind, self.window, self.backoff = True, IN_FLIGHT_PER_LANE, 0


class Lanes:
    """The sender's mind for one process start: what is ready, in flight and was ever sent."""

    def __init__(self, timing: Timing, jitter: Callable[[], float]) -> None:
        """`jitter` gives numbers from 0 to 1."""
        self._timing = timing
        self._jitter = jitter
        self._pace = Pace(timing.backlog_per_s, IN_FLIGHT_PER_LANE)
        self._sent: dict[int, None] = {}
        self._open: set[Up] = set()
        self._backlog_from_s = 0.0
        self.urgent, self.live, self.backlog = Lane(behind=True), Lane(), Lane(behind=True)
        self._lanes = {Up.URGENT: self.urgent, Up.LIVE: self.live, Up.BACKLOG: self.backlog}

    def begin(self, now_s: float) -> None:
        """A new connection: what was in flight is due again, and the backlog waits its random moment."""
        for lane in self._lanes.values():
            lane.reset()
        self.live.behind = False
        self._backlog_from_s = now_s + self._jitter() * self._timing.backlog_delay_s

    def allow(self, *, urgent: bool, readings: bool) -> None:
        """Open or hold the lanes, as connection and centre permit."""
        if not readings and Up.LIVE in self._open:
            self.live.reset()
            self.live.behind, self.backlog.behind = False, True
        self._open = ({Up.URGENT} if urgent else set()) | ({Up.LIVE, Up.BACKLOG} if readings else set())

    def stored(self, frames: Iterable[Frame], now_s: float) -> None:
        """New frames are on disk."""
        for frame in frames:
            up = Up.URGENT if frame.of in URGENT else Up.LIVE
            lane = self._lanes[up]
            if up in self._open and len(lane.ready) < READY and not lane.behind:
                lane.ready.append((frame, now_s))
            else:
                self._home(up).behind = True

    def wanted(self) -> Sequence[Up]:
        """Lanes that need frames from the spool."""
        return [
            up
            for up, lane in self._lanes.items()
            if up in self._open and lane.behind and up is not Up.LIVE and len(lane.ready) < REFILL_BELOW
        ]

    def lane(self, up: Up) -> Lane:
        """One lane."""
        return self._lanes[up]

    def exclude(self) -> set[int]:
        """Numbers of frames that are ready or in flight."""
        return {seq for lane in self._lanes.values() for seq in (*lane.flying, *(f.seq for f, _ in lane.ready))}

    def refill(self, up: Up, frames: Sequence[Frame], now_s: float) -> None:
        """Frames from the spool, oldest first."""
        known = self.exclude()
        self._lanes[up].ready.extend((frame, now_s) for frame in frames if frame.seq not in known)

    def next(self, now_s: float) -> tuple[Up, Frame] | None:
        """The frame to send now; it is in flight from here on."""
        self._let_live_age(now_s)
        for up, lane in self._lanes.items():
            if up not in self._open or not lane.ready or len(lane.flying) >= lane.window:
                continue
            if up is Up.BACKLOG and (now_s < self._backlog_from_s or not self._pace.take(now_s)):
                continue
            frame, _ = lane.ready.popleft()
            lane.flying[frame.seq] = now_s + self._patience_s(lane)
            self._remember(frame.seq)
            return up, frame
        return None

    def expire(self, now_s: float) -> int:
        """Frames whose ack did not come in time wait in the spool again; how many. Their lane is careful from now."""
        late = 0
        for up, lane in self._lanes.items():
            overdue = [seq for seq, due_s in lane.flying.items() if due_s <= now_s]
            if overdue:
                for seq in overdue:
                    del lane.flying[seq]
                lane.window, lane.backoff = 1, min(lane.backoff + 1, BACKOFF_STEPS)
                self._home(up).behind = True
                late += len(overdue)
        return late

    def acked(self, ranges: Sequence[tuple[int, int]]) -> list[int]:
        """Frames sent by this process start that the ranges name: the centre has stored them."""
        ordered = sorted(ranges)
        firsts = [first for first, _ in ordered]
        named = []
        for seq in self._sent:
            at = bisect_right(firsts, seq) - 1
            if at >= 0 and seq <= ordered[at][1]:
                named.append(seq)
        for seq in named:
            del self._sent[seq]
            for lane in self._lanes.values():
                if lane.flying.pop(seq, None) is not None:
                    lane.window, lane.backoff = min(lane.window * 2, IN_FLIGHT_PER_LANE), 0
        return named

    def due_s(self, now_s: float) -> float:
        """Seconds until time alone changes something."""
        dues = [due_s for lane in self._lanes.values() for due_s in lane.flying.values()]
        if self.backlog.ready and Up.BACKLOG in self._open and len(self.backlog.flying) < self.backlog.window:
            dues.append(max(self._backlog_from_s, now_s + self._pace.wait_s(now_s)))
        return max(0.0, min(dues, default=now_s + self._timing.ack_timeout_s) - now_s)

    def _home(self, up: Up) -> Lane:
        """Where a frame of that lane is sent from when it is not sent at once."""
        return self.urgent if up is Up.URGENT else self.backlog

    def _let_live_age(self, now_s: float) -> None:
        while self.live.ready and now_s - self.live.ready[0][1] > self._timing.live_s:
            self.live.ready.popleft()
            self.backlog.behind = True

    def _patience_s(self, lane: Lane) -> float:
        spread = 1 + JITTER * (2 * self._jitter() - 1)
        return float(self._timing.ack_timeout_s * 2**lane.backoff * spread)

    def _remember(self, seq: int) -> None:
        self._sent[seq] = None
        if len(self._sent) > SENT_REMEMBERED:
            del self._sent[next(iter(self._sent))]


def classes(up: Up) -> tuple[Class, ...]:
    """What a lane carries."""
    return URGENT if up is Up.URGENT else (Class.READING,)
