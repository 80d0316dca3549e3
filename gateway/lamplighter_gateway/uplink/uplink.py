"""The connection to the centre: comes back by itself, sends frames by lane, hears acks, commands and documents."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.ack import decode_ack
from lamplighter_contract.wire.documents import ControllerState, GatewayState
from lamplighter_contract.wire.frame import Envelope, seal
from lamplighter_contract.wire.packing import packed
from lamplighter_contract.wire.topics import CONTROLLER_STATE, Down, Up, down_filter, parse_down, up
from lamplighter_gateway.link.port import Connection, Incoming, Link, LinkDownError, PublishDeniedError, Will
from lamplighter_gateway.spool.frames import Frame
from lamplighter_gateway.spool.spool import Spool
from lamplighter_gateway.uplink.centre import Centre
from lamplighter_gateway.uplink.lanes import REFILL_BELOW, Lanes, Timing, classes
from lamplighter_gateway.uplink.pace import reconnect_s
from lamplighter_gateway.uplink.traffic import Traffic
from lamplighter_gateway.watch.counters import Counters

log = logging.getLogger(__name__)

SHORTEST_HEALTH_S: Final = 2.0
STEADY_S: Final = 30.0  # a session that lasted this long ends the row of failures
LEAVE_TIMEOUT_S: Final = 0.5

Handler = Callable[[bytes, bool], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Presence:
    """What the gateway says about itself; each is asked for when it is sent."""

    birth: Callable[[], GatewayState]
    devices: Callable[[], bytes]
    health: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends."""

    gateway: str
    boot: str
    compress: bool = False


class Uplink:
    """Runs one session after the other; the spool fills whatever becomes of it."""

    def __init__(
        self,
        identity: Identity,
        link: Link,
        spool: Spool,
        presence: Presence,
        clock: Clock,
        *,
        jitter: Callable[[], float],
        counters: Counters,
        timing: Timing | None = None,
    ) -> None:
        """`jitter` gives numbers from 0 to 1."""
        self._identity = identity
        self._link = link
        self._spool = spool
        self._presence = presence
        self._clock = clock
        self._jitter = jitter
        self._counters = counters
        self._timing = timing or Timing()
        self._lanes = Lanes(self._timing, jitter)
        self._centre = Centre(identity.boot)
        self._wake = asyncio.Event()
        self._health_due = asyncio.Event()
        self._birth_due = asyncio.Event()
        self._denied_logged = False
        self._of_use = False
        self._devices_due = False
        self._connection: Connection | None = None
        self.traffic = Traffic()
        self.connected = False
        self.heard_s = -math.inf  # when the centre last said that it has stored something
        self.handlers: dict[Down, Handler] = {Down.ACK: self._take_ack}
        spool.on_stored = self._frames_stored

    @property
    def controller(self) -> ControllerState | None:
        """The centre's last word about itself."""
        return self._centre.state

    def say_health(self) -> None:
        """Something changed that the centre should know before the next regular health."""
        self._health_due.set()

    def say_birth(self, *, devices: bool = False) -> None:
        """What the birth says changed, or what is served, too."""
        self._devices_due = self._devices_due or devices
        self._birth_due.set()

    async def ask(self, payload: bytes) -> bool:
        """Ask the centre for pieces of a file; False when there is no connection."""
        connection = self._connection
        if connection is None:
            return False
        try:
            await self._publish(connection, Up.WANTS, payload)
        except LinkDownError:
            return False
        return True

    def look_again(self) -> None:
        """Frames wait in the spool that no commit told about."""
        self._lanes.urgent.behind = self._lanes.backlog.behind = True
        self._wake.set()

    async def run(self) -> NoReturn:
        """Keep a session until cancelled."""
        failures = 0
        while True:
            began_s, self._of_use = self._clock.monotonic_s(), False
            cause = await self._one_session(again=failures > 0)
            if self._of_use or self._clock.monotonic_s() - began_s > STEADY_S:
                failures = 0
            pause_s = reconnect_s(failures, self._jitter)
            if failures == 0:
                log.warning("no uplink (%s); readings are kept, the next try is in %.1f s", cause, pause_s)
            failures += 1
            await asyncio.sleep(pause_s)

    async def _one_session(self, *, again: bool) -> str:
        cause = ""
        try:
            topics = (down_filter(self._identity.gateway), CONTROLLER_STATE)
            async with self._link.connect(self._will(), topics) as connection:
                log.info("uplink connected%s", " again" if again else "")
                await self._session(connection)
        except* LinkDownError as group:
            cause = str(_first(group))
        finally:
            if self.connected:
                self._counters.add("uplink_losses")
            self.connected, self._connection = False, None
            self._lanes.allow(urgent=False, readings=False)
        return cause

    async def _session(self, connection: Connection) -> None:
        self.connected, self._connection = True, connection
        self._counters.add("uplink_sessions")
        self._centre.forget()
        self._lanes.begin(self._clock.monotonic_s())
        self._permit()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(connection), name="uplink-receive")
                tasks.create_task(self._introduce(connection), name="uplink-birth")
                tasks.create_task(self._report_health(connection), name="uplink-health")
                tasks.create_task(self._send(connection, tasks), name="uplink-send")
        except asyncio.CancelledError:
            await self._leave(connection)
            raise

    async def _leave(self, connection: Connection) -> None:
        """Say goodbye: a clean leave fires no will."""
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._publish(connection, Up.STATE, self._will().payload, retain=True)
        except (LinkDownError, TimeoutError):
            log.info("no goodbye: the broker does not answer")

    def _will(self) -> Will:
        gone = documents.encode(GatewayState(boot=self._identity.boot, online=False))
        return Will(up(self._identity.gateway, Up.STATE), gone)

    async def _introduce(self, connection: Connection) -> None:
        self._devices_due = True
        while True:
            await self._say_birth(connection)
            if self._devices_due:
                self._devices_due = False
                await self._publish(connection, Up.DEVICES, self._packed(self._presence.devices()), retain=True)
            await self._birth_due.wait()

    async def _say_birth(self, connection: Connection) -> None:
        self._birth_due.clear()
        await self._publish(connection, Up.STATE, documents.encode(self._presence.birth()), retain=True)

    async def _report_health(self, connection: Connection) -> None:
        while True:
            self._health_due.clear()
            await self._publish(connection, Up.HEALTH, self._packed(await self._presence.health()))
            await asyncio.sleep(SHORTEST_HEALTH_S)
            await _wait(self._health_due, self._timing.health_s)

    async def _receive(self, connection: Connection) -> None:
        async for message in connection.messages():
            await self._take(message)
            connection.done(message)

    async def _take(self, message: Incoming) -> None:
        self.traffic.received(len(message.topic), len(message.payload), self._clock.monotonic_s())
        if message.topic == CONTROLLER_STATE:
            self._take_controller(message.payload)
            return
        channel = parse_down(message.topic)
        handler = self.handlers.get(channel[1]) if channel and channel[0] == self._identity.gateway else None
        if handler is None:
            self._counters.add("messages_ignored")
        else:
            await handler(message.payload, message.retained)

    def _take_controller(self, payload: bytes) -> None:
        state = documents.decode(payload, ControllerState)
        if isinstance(state, Refusal):
            self._counters.add(f"refused_{state.reason}")
            return
        before = self._centre.readings
        if not self._centre.hear(state):
            self._counters.add("controller_epoch_old")
            return
        self._permit()
        if self._centre.readings != before:
            log.info("the centre %s", "stores again" if self._centre.readings else "does not store; readings are kept")

    async def _take_ack(self, payload: bytes, _retained: bool) -> None:
        ack = decode_ack(payload)
        if isinstance(ack, Refusal):
            self._counters.add(f"refused_{ack.reason}")
        elif not self._centre.counts(ack):
            self._counters.add("acks_not_ours")
        else:
            self._of_use, self.heard_s = True, self._clock.monotonic_s()
            named = self._lanes.acked(ack.seq)
            self._spool.mark_stored(named)
            self._counters.add("frames_stored_by_centre", len(named))
            self._wake.set()

    def _permit(self) -> None:
        self._lanes.allow(
            urgent=self.connected and self._centre.urgent, readings=self.connected and self._centre.readings
        )
        self._wake.set()

    def _frames_stored(self, frames: Sequence[Frame]) -> None:
        self._lanes.stored(frames, self._clock.monotonic_s())
        self._wake.set()

    async def _send(self, connection: Connection, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            late = self._lanes.expire(self._clock.monotonic_s())
            if late:
                self._counters.add("frames_not_acked_in_time", late)
            await self._refill()
            while chosen := self._lanes.next(self._clock.monotonic_s()):
                tasks.create_task(self._deliver(connection, *chosen), name=f"uplink-frame-{chosen[1].seq}")
            if not self._lanes.wanted():
                await _wait(self._wake, self._lanes.due_s(self._clock.monotonic_s()))

    async def _refill(self) -> None:
        for lane in self._lanes.wanted():
            # Cleared before the look, so that what comes meanwhile is not forgotten.
            self._lanes.lane(lane).behind = False
            frames = await self._spool.waiting(classes(lane), self._lanes.exclude(), REFILL_BELOW)
            self._lanes.refill(lane, frames, self._clock.monotonic_s())
            if len(frames) == REFILL_BELOW:
                self._lanes.lane(lane).behind = True

    async def _deliver(self, connection: Connection, lane: Up, frame: Frame) -> None:
        envelope = Envelope(frame.seq, self._identity.boot, self._clock.wall_ms())
        payload = self._packed(seal(frame.body, envelope))
        self._counters.add("frames_sent")
        self._counters.add("bytes_sent", len(payload))
        await self._publish(connection, lane, payload)

    def _packed(self, payload: bytes) -> bytes:
        return packed(payload) if self._identity.compress else payload

    async def _publish(self, connection: Connection, channel: Up, payload: bytes, *, retain: bool = False) -> None:
        topic = up(self._identity.gateway, channel)
        self.traffic.published(len(topic), len(payload), self._clock.monotonic_s())
        try:
            await connection.publish(topic, payload, retain=retain)
        except PublishDeniedError as error:
            self._counters.add("publish_denied")
            if not self._denied_logged:
                log.error("the broker denies %s (%s): its access rules do not know this gateway", topic, error)  # noqa: TRY400 - expected outside trouble, no trace wanted
            self._denied_logged = True


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return


def _first(group: BaseExceptionGroup[LinkDownError]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
