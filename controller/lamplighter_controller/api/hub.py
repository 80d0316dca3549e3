"""Live values for many watchers: changes gathered over a tenth of a second, written once, queued briefly for each."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.quantities import Kind
from lamplighter_controller.api.condition import Conditions, conditions
from lamplighter_controller.api.services import Services
from lamplighter_controller.api.sight import Sight
from lamplighter_controller.api.steps import Steps
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.events import (
    CommandChanged,
    DevicesChanged,
    Event,
    FleetChanged,
    GatewayChanged,
    IncidentChanged,
    Subscription,
)
from lamplighter_controller.twin.kind import Rows, Snapshot

PERIOD_S: Final = 0.1
BEAT_S: Final = 1.0
REGISTER: Final = "register"
REVIEW_S: Final = 5.0  # time alone makes values stale
FRAMES_WAITING: Final = 32
MAX_WATCHERS: Final = 1_000
SHOWN: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.LAMP: ("level_percent", "power_w"),
    Kind.CABINET: ("power_w",),
    Kind.CIRCUIT: ("contactor_closed", "circuit_current_a"),
    Kind.TRUCK: (
        "latitude",
        "longitude",
        "speed_kmh",
        "heading_deg",
        "lift",
        "cover",
        "load",
        "speed_limited",
        "lift_limited",
        "limit_kmh",
    ),
}


class TooManyWatchers(ControllerError):
    """Nobody more can watch now."""


@dataclass(eq=False, slots=True)
class Watcher:
    """One who watches some kinds; `slow` once its queue ran over, and nothing more comes then."""

    kinds: frozenset[Kind]
    sight: Sight
    frames: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(FRAMES_WAITING))
    slow: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, frame: bytes) -> None:
        """Queue a frame; one who does not keep up is marked, so that it is dropped and nobody waits for it."""
        if self.slow.is_set():
            return
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.slow.set()


class Hub:
    """Turns what changed in the twin into frames. `version` counts them; snapshots carry it too."""

    kinds = (CommandChanged, DevicesChanged, GatewayChanged, IncidentChanged, FleetChanged)

    def __init__(self, services: Services, build: str = "") -> None:
        self.version = 0
        self.build = build
        self._steps = Steps(services.clock)
        self._news = Subscription()
        self._services = services
        self._watchers: set[Watcher] = set()
        self._seen = services.twin.version
        self._told: dict[Kind, Conditions] = {}
        self._last_frame_s = self._reviewed_s = services.clock.monotonic_s()

    @contextmanager
    def watch(self, kinds: frozenset[Kind], sight: Sight | None = None) -> Iterator[Watcher]:
        """Be sent frames of these kinds while the block runs.

        Raises:
            TooManyWatchers: there is no room.
        """
        if len(self._watchers) >= MAX_WATCHERS:
            raise TooManyWatchers
        watcher = Watcher(kinds, sight or Sight(self._services))
        watcher.offer(self.hello())
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    async def run(self) -> None:
        """Send frames as values change; for ever."""
        with self._services.events.subscribe(*self.kinds) as self._news:
            while True:
                await asyncio.sleep(PERIOD_S)
                self.tick()

    def steps_of(self, request: str) -> Mapping[CommandState, int]:
        """When the states of a request were seen, up to this moment."""
        self._catch_up()
        return self._steps.of(request)

    def take(self, event: Event) -> None:
        """Note an event that changes what is shown."""
        match event:
            case CommandChanged():
                self._steps.take(event)
            case DevicesChanged():
                self._tell({"type": "resync"})
            case GatewayChanged():
                self._reviewed_s = -REVIEW_S
            case IncidentChanged():
                self._tell({"type": "incident", **incident_of(event)}, event=event)
            case FleetChanged():
                self._tell({"type": "fleet", **fleet_of(event)}, Kind.TRUCK, event)
                if event.what == REGISTER:  # whose trucks are whose may be different now
                    self._tell({"type": "resync"}, Kind.TRUCK, partial=True)
            case _:
                pass

    def tick(self) -> None:
        """Send what changed since the last tick, or a beat when nothing has for a while."""
        self._catch_up()
        now_s = self._services.clock.monotonic_s()
        version = self._services.twin.version
        changed = self._services.twin.changed_since(self._seen) if version != self._seen else {}
        self._seen = version
        review = now_s - self._reviewed_s >= REVIEW_S
        if review:
            self._reviewed_s = now_s
        for kind in SHOWN:
            if review or kind in changed:
                self._tell_kind(kind, changed.get(kind))
        if now_s - self._last_frame_s >= BEAT_S:
            self._tell({"type": "beat", "version": self.version})

    def hello(self) -> bytes:
        """The first frame of every watcher."""
        hello = {"type": "hello", "version": self.version, "build": self.build, "rate": self._services.city.rate}
        return self._frame(hello)

    def conditions(self, columns: Snapshot) -> Conditions:
        """The condition of every row now."""
        services = self._services
        lost = {name for name in columns.gateways if not services.gateways.vouched(name)}
        clock, rate = services.clock, services.city.rate
        return conditions(columns, lost, civil_ms=clock.civil_ms(), monotonic_s=clock.monotonic_s(), rate=rate)

    def _catch_up(self) -> None:
        while not self._news.queue.empty():
            self.take(self._news.queue.get_nowait())

    def _tell_kind(self, kind: Kind, changed: Rows | None) -> None:
        columns = self._services.twin.snapshot(kind)
        now = self.conditions(columns)
        before = self._told.get(kind)
        self._told[kind] = now
        rows = np.arange(0) if changed is None else changed
        if before is not None:
            rows = np.union1d(rows, np.flatnonzero(now[: len(before)] != before))
        if len(rows):
            self.version += 1
            self._tell(delta(kind, columns, now, rows) | {"version": self.version}, kind, partial=False)
            self._tell_part(columns, now, rows)

    def _tell_part(self, columns: Snapshot, now: Conditions, rows: Rows) -> None:
        """To those who see only some rows: these alone, numbered as in the `/latest` they are given."""
        for watcher in self._watchers:
            if columns.kind not in watcher.kinds or watcher.sight.whole:
                continue
            seen = watcher.sight.rows(columns)
            kept = rows if seen is None else np.intersect1d(rows, seen)
            if len(kept):
                frame = delta(columns.kind, columns, now, kept) | {"version": self.version}
                numbers = kept if seen is None else np.searchsorted(seen, kept)
                watcher.offer(self._frame(frame | {"row": numbers}))

    def _tell(
        self,
        frame: dict[str, Any],
        kind: Kind | None = None,
        event: Event | None = None,
        *,
        partial: bool | None = None,
    ) -> None:
        """`event`: only to those who may hear of it; `partial`: only to those who see all, or only some."""
        self._last_frame_s = self._services.clock.monotonic_s()
        watchers = [
            watcher
            for watcher in self._watchers
            if (kind is None or kind in watcher.kinds)
            and (event is None or watcher.sight.is_told(event))
            and (partial is None or watcher.sight.whole is not partial)
        ]
        if watchers:
            encoded = self._frame(frame)
            for watcher in watchers:
                watcher.offer(encoded)

    def _frame(self, frame: dict[str, Any]) -> bytes:
        return encode(frame | {"time_now_ms": self._services.clock.civil_ms()})


def delta(kind: Kind, columns: Snapshot, now: Conditions, rows: Rows) -> dict[str, Any]:
    """What rows say now, as columns."""
    values = {name: columns.values[name][rows] for name in SHOWN[kind] if name in columns.values}
    return {
        "type": "delta",
        "kind": kind,
        "row": rows,
        "state": now[rows],
        "time_ms": columns.time_ms[rows],
        "values": values,
    }


def incident_of(event: IncidentChanged) -> dict[str, Any]:
    """What is told of an incident that changed; the whole of it is at `/incidents/{incident}`."""
    element = {"kind": event.element_kind, "id": event.element}
    return {
        "incident": event.incident,
        "element": element,
        "class": event.class_id,
        "state": event.state,
        "severity": event.severity,
        "time_ms": event.time_ms,
    }


def fleet_of(event: FleetChanged) -> dict[str, Any]:
    """What is told of a violation, a limit, an ask, a switch or the register; the whole of it is under `/fleet`."""
    return {
        "what": event.what,
        "id": event.id,
        "truck": event.truck,
        "class": event.class_id,
        "state": event.state,
        "time_ms": event.time_ms,
    }


def encode(document: dict[str, Any]) -> bytes:
    """JSON with arrays as lists and NaN as null."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
