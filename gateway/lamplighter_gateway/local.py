"""What a person beside the gateway may ask for: status, one device's reading, a level with an end."""

import secrets
from collections.abc import Awaitable, Callable, Mapping

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.level import Level, Override
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.ledger import Change
from lamplighter_gateway.control import LONGEST_MIN, MS_PER_MIN, Answer, Handle, Request
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Written
from lamplighter_gateway.events import Events
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.registry import Registry


class LocalRequests:
    """Answers the control socket."""

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        actuator: Actuator,
        level: Callable[[str], Level],
        events: Events,
        clock: Clock,
        status: Callable[[], Awaitable[Answer]],
        others: Mapping[str, Handle],
    ) -> None:
        """`level`: what a lamp is to show now, whoever decides it. `status`: the whole state as plain JSON.

        `others` answer what is asked for by other words.
        """
        self._registry = registry
        self._journal = journal
        self._actuator = actuator
        self._level = level
        self._events = events
        self._clock = clock
        self._status = status
        self._others = others

    async def handle(self, request: Request, user: str) -> Answer:
        """Answer one request of a user of this machine."""
        wish = request.get("do")
        if wish == "status":
            return await self._status()
        if isinstance(wish, str) and wish in self._others:
            return await self._others[wish](request, user)
        device = request.get("device")
        if not isinstance(device, str) or device not in self._registry.entries:
            return {"error": f"{str(device)[:80]!r} is no device of this gateway"}
        if wish == "read":
            return await self._read(device)
        if wish == "write":
            return await self._write(device, request.get("level_percent"), request.get("minutes"), user)
        return {"error": f"{str(wish)[:40]!r} is not known; status, read and write are"}

    async def _read(self, device: str) -> Answer:
        found = await self._actuator.read(device)
        if isinstance(found, ReadFailed):
            return {"device": device, "error": found.reason}
        return {"device": device, "time": found.time_ms, "quality": int(found.quality), "values": dict(found.values)}

    async def _write(self, device: str, level: object, minutes: object, user: str) -> Answer:
        if not isinstance(level, int | float) or not 0 <= level <= 100:
            return {"error": f"level is {str(level)[:40]}, expected 0 to 100"}
        if not isinstance(minutes, int | float) or not 0 < minutes <= LONGEST_MIN:
            return {"error": f"minutes is {str(minutes)[:40]}, expected more than 0 and at most {LONGEST_MIN}"}
        if "light.set" not in self._registry.entries[device].capabilities:
            return {"error": f"{device} takes no level"}
        held = self._actuator.forbids(device, Point.LEVEL, float(level), None)
        if held is not None:
            return {"error": f"{device} is {held}: nobody writes to it"}
        override = self._override(device, float(level), float(minutes))
        try:
            await self._journal.want(Change(overrides=(override,)), override.seq)
        except DiskFullError:
            return {"error": "no room on the disk to keep the override"}
        self._events.say("local.override", device, by=f"local:{user}", level_percent=level, until=override.until_ms)
        written: list[Written] = []
        percent = self._level(device).level_percent
        values = {device: float(level) if percent is None else percent}
        await self._actuator.write(Point.LEVEL, values, lambda _device: None, written.extend)
        return _outcome(device, override, written[0])

    def _override(self, device: str, level: float, minutes: float) -> Override:
        # The number of the newest command: the centre's next resume ends a local override too.
        now_ms = self._clock.wall_ms()
        until_ms = self._clock.civil_ms() + round(minutes * MS_PER_MIN)
        identity = uuid7(now_ms, secrets.token_bytes(10))
        return Override(identity, self._journal.highest_seq, now_ms, device, level, until_ms)


def _outcome(device: str, override: Override, written: Written) -> Answer:
    answer: Answer = {
        "device": device,
        "outcome": written.outcome,
        "reason": written.reason,
        "until": override.until_ms,
    }
    if written.reading is not None:
        answer["values"] = dict(written.reading.values)
    if written.outcome in (Outcome.FAILED, Outcome.UNCONFIRMED):
        answer["note"] = "kept until its end and tried again when the lamp answers"
    return answer
