"""Devices that speak JSON to a field broker beside the gateway."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import aiomqtt
import orjson

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.bounded import read_object
from lamplighter_gateway.config.model import Device, FieldBroker
from lamplighter_gateway.drivers.json_values import decode, encode
from lamplighter_gateway.drivers.port import (
    Applied,
    Brought,
    BusStatus,
    Instructed,
    Outcome,
    ReadFailed,
    Reading,
    Sink,
    Write,
    Written,
)
from lamplighter_gateway.drivers.proof import doubt
from lamplighter_gateway.drivers.silence import Silence
from lamplighter_gateway.profiles.model import JsonMap, ReadBack

logger = logging.getLogger(__name__)

_MAX_PAYLOAD: Final = 8192
_FIRST_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 30.0
_PUBLISH_S: Final = 5.0
_KEEPALIVE_S: Final = 30
_STEP_S: Final = 1.0
LATE_MS: Final = 60_000  # a truck's report this old tells the past


class MqttBus:
    """The driver of one field broker."""

    def __init__(
        self, broker: FieldBroker, devices: Sequence[Device], clock: Clock, sink: Sink, random: Random
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._sink = sink
        self._random = random
        self._devices = {device.id: device for device in devices}
        self._shapes = {device.id: device.profile.mqtt for device in devices if device.profile.mqtt is not None}
        self._by_topic = {_topic(shape.state_topic, self._devices[name]): name for name, shape in self._shapes.items()}
        heartbeats = {name: shape.heartbeat_s for name, shape in self._shapes.items()}
        self._silence = Silence(heartbeats, clock.monotonic_s())
        self._client: aiomqtt.Client | None = None
        self._news: dict[str, asyncio.Future[Reading]] = {}
        self._last: dict[str, Reading] = {}  # of trucks, which are judged by it before they are limited
        self._tell_login: Callable[[str], None] = lambda _device: None
        self._messages = 0
        self._timeouts = 0
        self._refusals: Counter[str] = Counter()
        self._last_error = ""

    async def run(self) -> None:
        """Serve the broker until cancelled; a lost connection is made again, with growing and jittered pauses."""
        delay_s, lost = _FIRST_DELAY_S, False
        while True:
            before = self._messages
            try:
                async with self._connection() as client:
                    await self._subscribe(client)
                    if lost:
                        logger.info("bus %s: field broker is back", self._broker.id)
                    lost, delay_s, self._client = False, _FIRST_DELAY_S, client
                    await self._serve(client)
            except* (aiomqtt.MqttError, OSError) as errors:
                self._last_error = f"field broker: {errors.exceptions[0]}"
                if not lost:
                    logger.warning("bus %s: %s; trying again", self._broker.id, self._last_error)
                lost = True
            finally:
                self._client = None
            await asyncio.sleep(delay_s * self._random.uniform(0.5, 1.0))
            delay_s = _FIRST_DELAY_S if self._messages > before else min(2 * delay_s, _LONGEST_DELAY_S)

    async def read(self, device: str, timeout_s: float) -> Reading | ReadFailed:
        """Ask one device now."""
        shape = self._shapes[device]
        if shape.ask_topic is None:
            return ReadFailed(device, "its profile has no topic to ask on")
        news = self._next(device)
        failure = await self._publish(_topic(shape.ask_topic, self._devices[device]), b"{}")
        if failure is not None:
            return ReadFailed(device, failure)
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(news)
        except TimeoutError:
            self._timeouts += 1
            return ReadFailed(device, f"no answer within {timeout_s:g} s")

    async def write(self, writes: Sequence[Write], applied: Applied, *, broadcast: bool) -> list[Written]:  # noqa: ARG002 - a broker has no broadcast
        """Publish every write, then wait for each device to report the value; one result per write, in order."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._write(write, applied), name=f"write-{write.device}-{write.point}")
                for write in writes
            ]
        return [task.result() for task in tasks]

    def attach(
        self,
        store: Callable[[Sequence[Reading]], Awaitable[bool]],
        keep: Callable[[str, Brought], Awaitable[bool]],
        logged_in: Callable[[str], None],
    ) -> None:
        """Trackers that are heard again are told of; a broker acknowledges them whatever becomes durable here."""
        del store, keep
        self._tell_login = logged_in

    async def instruct(
        self, device: str, operation: Operation, args: Mapping[str, Any], timeout_s: float
    ) -> Instructed:
        """Nothing: its JSON has reports, limits and words."""
        del args, timeout_s
        return Instructed(Outcome.FAILED, f"profile {self._devices[device].profile.name} has no {operation}")

    def latest(self, device: str) -> Reading | None:
        """The newest report of a truck since the start."""
        return self._last.get(device)

    def online(self, device: str) -> bool:
        """True while the broker is there and the truck is not silent."""
        return self._client is not None and device not in self._silence.silent

    def ends_limits(self, device: str) -> bool:
        """True when the tracker itself ends a limit."""
        return self._shapes[device].ends_limits

    def record_to(self, record: Callable[[str, bytes], None]) -> None:
        """Nothing: there are no frames on this wire that would prove more than the readings do."""

    def strangers(self) -> Sequence[Mapping[str, object]]:
        """A broker's own accounts say who may publish."""
        return ()

    def status(self) -> BusStatus:
        """Counters and health since start; the cycle is the devices' own."""
        return BusStatus(
            bus=self._broker.id,
            wire=self._broker.wire,
            connected=self._client is not None,
            devices=len(self._devices),
            silent=self._silence.silent,
            cycle_s=0.0,
            utilisation=0.0,
            requests=self._messages,
            timeouts=self._timeouts,
            crc_errors=0,
            exceptions=0,
            refused=self._refusals.total(),
            last_error=self._last_error,
            refusals=tuple(sorted(self._refusals.items())),
        )

    def _connection(self) -> aiomqtt.Client:
        broker = self._broker
        tls = None
        if broker.tls is not None:
            files = broker.tls
            tls = aiomqtt.TLSParameters(str(files.ca), _text(files.certificate), _text(files.key))
        password = broker.password_file.read_text(encoding="utf-8").strip() if broker.password_file else None
        client = aiomqtt.Client(
            broker.host, broker.port, username=broker.user, password=password, tls_params=tls, keepalive=_KEEPALIVE_S
        )
        client.pending_calls_threshold = 2 * len(self._shapes)  # a whole street is written at once; more would be odd
        client._disconnected.add_done_callback(_seen)  # noqa: SLF001 - aiomqtt does not look at its own error
        return client

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        for pattern in sorted({shape.state_topic.replace("{address}", "+") for shape in self._shapes.values()}):
            codes = await client.subscribe(pattern, qos=1)
            if any(code == 0x80 for code in codes):
                raise aiomqtt.MqttError(f"the broker refuses the subscription to {pattern}")

    async def _serve(self, client: aiomqtt.Client) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name=f"{self._broker.id} silence")
            async for message in client.messages:
                self._take(str(message.topic), message.payload, retained=message.retain)

    def _take(self, topic: str, payload: object, *, retained: bool) -> None:
        """One message from a device; what is not understood is counted and left."""
        self._messages += 1
        name = self._by_topic.get(topic)
        if name is None:
            self._refusals[Reason.UNKNOWN_DEVICE] += 1
            return
        found = read_object(payload, _MAX_PAYLOAD) if isinstance(payload, bytes) else None
        if found is None or isinstance(found, Refusal):
            self._refusals[found.reason if found else Reason.MALFORMED] += 1
            self._last_error = f"{topic}: {found.detail if found else 'no payload'}"
            return
        self._tell(name, self._shapes[name], found, retained=retained)

    def _tell(self, name: str, shape: JsonMap, found: Mapping[str, object], *, retained: bool) -> None:
        decoded = decode(shape, found, self._clock.civil_ms())
        self._refusals.update(decoded.refused)
        quality = decoded.quality | (Quality.STALE if retained else 0)
        kind = self._devices[name].profile.kind
        if kind is Kind.TRUCK:
            now_ms = self._clock.civil_ms()
            decoded.values["received"] = now_ms
            quality |= Quality.STALE if now_ms - decoded.time_ms > LATE_MS else 0
        reading = Reading(name, kind, decoded.time_ms, decoded.values, int(quality))
        last = self._last.get(name)
        if kind is Kind.TRUCK and not retained and (last is None or last.time_ms <= reading.time_ms):
            self._last[name] = reading
        if not retained:
            if self._silence.heard(name, self._clock.monotonic_s()):
                logger.info("bus %s: %s is heard again", self._broker.id, name)
                self._tell_login(name)
            news = self._news.pop(name, None)
            if news is not None and not news.done():
                news.set_result(reading)
        self._sink([reading])

    async def _watch(self) -> None:
        while True:
            step = self._silence.step(self._clock.monotonic_s())
            for name in step.silent:
                self._timeouts += 1
                logger.warning("bus %s: %s is silent", self._broker.id, name)
            for name in step.ask:
                shape = self._shapes[name]
                if shape.ask_topic is not None:
                    await self._publish(_topic(shape.ask_topic, self._devices[name]), b"{}")
            await asyncio.sleep(_STEP_S)

    async def _publish(self, topic: str, payload: bytes) -> str | None:
        """Hand a message to the broker and wait for its acknowledgement; why that failed, or None."""
        client = self._client
        if client is None:
            return "field broker is not connected"
        try:
            await client.publish(topic, payload, qos=1, timeout=_PUBLISH_S)
        except aiomqtt.MqttError as error:
            return f"field broker: {error}"
        return None

    async def _write(self, write: Write, applied: Applied) -> Written:
        device, shape = self._devices[write.device], self._shapes[write.device]
        spec = shape.write.get(write.point)
        if spec is None:
            return Written(device.id, Outcome.FAILED, f"profile {device.profile.name} has no {write.point}")
        body = encode(spec, write.value, write.text)
        if body is None:
            reason = f"{write.point} is {write.value:g}, expected {spec.minimum:g} to {spec.maximum:g}"
            return Written(device.id, Outcome.FAILED, reason)
        if self._client is None:
            return Written(device.id, Outcome.FAILED, "not sent: field broker is not connected", answered=False)
        news = self._next(device.id)  # before the write: its report may overtake the broker's acknowledgement
        failure = await self._publish(_topic(spec.topic, device), orjson.dumps(body))
        if failure is not None:
            return Written(device.id, Outcome.UNCONFIRMED, failure, answered=False)
        applied(device.id)
        if spec.read_back is None:
            return Written(device.id, Outcome.APPLIED)
        return await self._proven(device, shape, write, spec.read_back, news)

    async def _proven(
        self, device: Device, shape: JsonMap, write: Write, proof: ReadBack, news: "asyncio.Future[Reading]"
    ) -> Written:
        """Wait for the device to report the value; ask it halfway if it does not speak by itself."""
        begun_s = self._clock.monotonic_s()
        end_s = min(begun_s + proof.settle_s, write.deadline_s)
        ask_s = (begun_s + end_s) / 2
        last: Reading | None = None
        while (now_s := self._clock.monotonic_s()) < end_s:
            if now_s >= ask_s and shape.ask_topic is not None:
                ask_s = end_s
                await self._publish(_topic(shape.ask_topic, device), b"{}")
            try:
                async with asyncio.timeout((ask_s if now_s < ask_s else end_s) - now_s):
                    last = await asyncio.shield(news)
            except TimeoutError:
                continue
            if doubt(proof, last.values, write.value) is None:
                return Written(device.id, Outcome.VERIFIED, "", last)
            news = self._next(device.id)
        if last is None:
            return Written(device.id, Outcome.UNCONFIRMED, f"no report within {proof.settle_s:g} s", answered=False)
        return Written(device.id, Outcome.FAILED, doubt(proof, last.values, write.value) or "", last)

    def _next(self, device: str) -> "asyncio.Future[Reading]":
        """The device's next reading; one future for all who wait."""
        news = self._news.get(device)
        if news is None or news.done():
            news = self._news[device] = asyncio.get_running_loop().create_future()
        return news


def _topic(pattern: str, device: Device) -> str:
    return pattern.replace("{address}", device.address)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _seen(ended: "asyncio.Future[None]") -> None:
    """Look at the error, which who waits is told by other ways: asyncio complains of one nobody saw."""
    if not ended.cancelled():
        ended.exception()
