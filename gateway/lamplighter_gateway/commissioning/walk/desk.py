"""Commissioning as the running gateway serves it: from the command line by the control socket, or from a phone."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NoReturn

import msgspec

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.quantities import Kind
from lamplighter_gateway.commissioning.walk.feeder_test import FeederTest
from lamplighter_gateway.commissioning.walk.field import LONGEST_BLINK_S, Field
from lamplighter_gateway.commissioning.walk.journal import RecordFile
from lamplighter_gateway.commissioning.walk.record import (
    CircuitRow,
    Entry,
    LampRow,
    Record,
    Saw,
    What,
    told,
)
from lamplighter_gateway.control import Answer, Request
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.events import Events

log = logging.getLogger(__name__)

LONGEST_POLE: Final = 120
RETRY_S: Final = 10.0
Step = Callable[[Request, str], Awaitable[Answer]]


class WalkDesk:
    """Takes what installers find, durable at once, and tells the centre of it by events that wait for the uplink."""

    def __init__(self, gateway: str, field: Field, file: RecordFile, events: Events, clock: Clock) -> None:
        """Nothing is read before `run`; requests wait for it."""
        self._gateway, self._field, self._file, self._events, self._clock = gateway, field, file, events, clock
        self._ready = asyncio.Event()
        self._feeding: asyncio.Queue[tuple[list[str], str]] = asyncio.Queue(1)
        self._busy = False
        self._blinking = self._left_open = ""
        self._steps: Mapping[str, Step] = {
            "begin": self._begin,
            "expect": self._expect,
            "state": self._state,
            "blink": self._blink,
            "saw": self._saw,
            "feeders": self._feeders,
            "record": self._whole,
            "end": self._end,
        }

    @property
    def record(self) -> Record:
        """What has been found so far."""
        return self._file.record

    @property
    def blinking(self) -> str:
        """The lamp that was last told to blink and not yet answered for."""
        return self._blinking

    def about(self) -> dict[str, object]:
        """For `status`: what is open, and how far it is."""
        record = self.record
        return {
            "job": record.job if record.running else None,
            "left": len(self.unanswered()),
            "circuits_left_open": list(record.open_circuits),
        }

    def unanswered(self) -> list[str]:
        """Lamps nobody has answered for, in the order of the configuration."""
        return [lamp for lamp in self._field.of_kind(Kind.LAMP) if lamp not in self.record.seen]

    async def run(self) -> NoReturn:
        """Close what a stop left open, then carry out tests of feeders until cancelled."""
        await self._file.open()
        self._ready.set()
        while self.record.open_circuits:
            await self._close_left_open()
        while True:
            circuits, by = await self._feeding.get()
            self._busy = True
            try:
                await FeederTest(self._field, self._add, self._clock, by).run(circuits)
            except (DiskFullError, TimeoutError) as error:
                log.warning("the test of feeders was given up: %s", error)
            finally:
                self._busy = False
            while self.record.open_circuits:
                await self._close_left_open()

    async def handle(self, request: Request, user: str) -> Answer:
        """One step, for a person; `user` goes into the record."""
        step = self._steps.get(str(request.get("step")))
        if step is None:
            return {"error": f"{str(request.get('step'))[:40]!r} is not known; {', '.join(self._steps)} are"}
        await self._ready.wait()
        try:
            return await step(request, user)
        except DiskFullError as error:
            return {"error": f"not kept: {error}"}
        except msgspec.ValidationError as error:
            return {"error": str(error)}

    async def _begin(self, request: Request, user: str) -> Answer:
        if self.record.running and not request.get("anew"):
            return {
                "error": f"{self.record.job} is still open, begun by {self.record.begun_by}",
                "job": self.record.job,
            }
        await self._file.lay_aside()
        job = f"{self._gateway}-{uuid7(self._clock.wall_ms(), secrets.token_bytes(10))[:13]}"
        await self._add(Entry(What.BEGUN, self._clock.civil_ms(), user, job))
        self._events.say("commission.begun", subject=job, by=_beside(user))
        return {"job": job}

    async def _expect(self, request: Request, user: str) -> Answer:
        """Rows of the inventory, some at a time."""
        lamps = msgspec.convert(request.get("lamps", []), tuple[LampRow, ...])
        circuits = msgspec.convert(request.get("circuits", []), tuple[CircuitRow, ...])
        return await self._if_open(Entry(What.EXPECTED, self._clock.civil_ms(), user, lamps=lamps, circuits=circuits))

    async def _state(self, _request: Request, _user: str) -> Answer:
        lamps, left = self._field.of_kind(Kind.LAMP), self.unanswered()
        row = self.record.lamps.get(left[0]) if left else None
        circuits = self._field.of_kind(Kind.CIRCUIT)
        return {
            "job": self.record.job,
            "running": self.record.running,
            "lamps": len(lamps),
            "answered": len(lamps) - len(left),
            "next": left[0] if left else None,
            "pole": row.pole if row else "",
            "left": left,
            "expected": {device: its.pole for device, its in self.record.lamps.items()},
            "blinking": self._blinking,
            "circuits": circuits,
            "measured": [circuit for circuit in circuits if circuit in self.record.fed],
            "feeding": self._busy or not self._feeding.empty(),
        }

    async def _blink(self, request: Request, user: str) -> Answer:
        device, seconds = str(request.get("device")), request.get("seconds")
        if not isinstance(seconds, int | float) or not 1 <= seconds <= LONGEST_BLINK_S:
            return {"error": f"seconds is {str(seconds)[:40]}, expected 1 to {LONGEST_BLINK_S}"}
        failure = await self._field.blink(device, float(seconds))
        self._events.say("local.identify", device, by=_beside(user), seconds=seconds, failure=failure or None)
        if failure:
            return {"device": device, "error": failure}
        self._blinking = device
        return {"device": device, "seconds": seconds}

    async def _saw(self, request: Request, user: str) -> Answer:
        device, pole = request.get("device"), request.get("pole")
        if device not in self._field.of_kind(Kind.LAMP):
            return {"error": f"{str(device)[:80]!r} is no lamp of this gateway"}
        if pole is not None and (
            not isinstance(pole, str) or not 0 < len(pole) <= LONGEST_POLE or not pole.isprintable()
        ):
            return {"error": f"pole is {str(pole)[:40]!r}, expected 1 to {LONGEST_POLE} printable characters, or none"}
        now_ms = self._clock.civil_ms()
        answer = await self._if_open(Entry(What.SAW, now_ms, user, saw=Saw(str(device), pole)))
        if "error" not in answer:
            row = self.record.lamps.get(str(device))
            expected = row.pole if row else None
            self._events.say("commission.pole", str(device), pole=pole, expected=expected, by=_beside(user))
            if self._blinking == device:
                self._blinking = ""
        return answer

    async def _feeders(self, request: Request, user: str) -> Answer:
        wanted = request.get("circuits") or self._field.of_kind(Kind.CIRCUIT)
        unknown = [one for one in wanted if one not in self._field.of_kind(Kind.CIRCUIT)]
        if unknown:
            return {"error": f"{str(unknown[0])[:80]!r} is no circuit of this gateway"}
        if not self.record.running:
            return _NOT_OPEN
        if self._busy or self._feeding.full():
            return {"error": "a test of feeders is under way"}
        self._feeding.put_nowait((list(wanted), user))
        return {"circuits": list(wanted)}

    async def _whole(self, _request: Request, _user: str) -> Answer:
        lamps, circuits = self._field.of_kind(Kind.LAMP), self._field.of_kind(Kind.CIRCUIT)
        return told(self._gateway, self.record, lamps, circuits)

    async def _end(self, _request: Request, user: str) -> Answer:
        record = self.record
        answer = await self._if_open(Entry(What.ENDED, self._clock.civil_ms(), user))
        if "error" not in answer:
            seen, measured = len(record.seen), len(record.fed)
            self._events.say("commission.ended", subject=record.job, by=_beside(user), lamps=seen, circuits=measured)
        return answer

    async def _if_open(self, entry: Entry) -> Answer:
        if not self.record.running:
            return _NOT_OPEN
        await self._add(entry)
        return {"job": self.record.job}

    async def _add(self, entry: Entry) -> None:
        await self._file.add(entry)
        fed = entry.fed
        if fed is not None:
            row = self.record.circuits.get(fed.circuit)
            self._events.say(
                "commission.feeder",
                fed.circuit,
                by=_beside(entry.by),
                phase=fed.phase or None,
                expected=row.phase if row else None,
                lamps=len(fed.lamps) if fed.lamps is not None else None,
                why=fed.why or None,
            )

    async def _close_left_open(self) -> None:
        """A circuit that a test opened is closed again, also after a kill; never while anybody is at work there."""
        for circuit, by in list(self.record.open_circuits.items()):
            failure = self._field.held_beside(circuit) or await self._field.switch(circuit, closed=True, by=by)
            if not failure:
                self._left_open = ""
                with contextlib.suppress(DiskFullError):
                    await self._add(Entry(What.CLOSED, self._clock.civil_ms(), by, circuit))
                continue
            if failure != self._left_open:
                log.warning("circuit %s was opened for a test and stays open: %s; trying again", circuit, failure)
            self._left_open = failure
            await asyncio.sleep(RETRY_S)


_NOT_OPEN: Final[Answer] = {"error": "no commissioning is open; begin one"}


def _beside(user: str) -> str:
    """A person at the gateway, as the centre is told of them."""
    return f"local:{user}"
