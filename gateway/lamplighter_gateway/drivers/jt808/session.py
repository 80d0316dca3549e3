"""One connection of a terminal: what each of its messages brings about. Pure; times are handed in.

Until it has logged in, a terminal may register, log in and tell it is there; whatever else it says is counted and left.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.fragments import Assembly, Missing
from lamplighter_gateway.drivers.jt808.codec.frame import MOST_SERIAL, Frame, Header
from lamplighter_gateway.drivers.jt808.codec.location import Location, read_batch, read_location
from lamplighter_gateway.drivers.jt808.codec.messages import edition_of, read_body, write_body
from lamplighter_gateway.drivers.jt808.codec.values import utc_bcd
from lamplighter_gateway.drivers.jt808.tracker import in_order, reading_of
from lamplighter_gateway.drivers.port import Brought, Reading
from lamplighter_gateway.profiles.model import TrackerMap

OK: Final = 0
FAILED: Final = 1
BAD: Final = 2
UNSUPPORTED: Final = 3
NO_TERMINAL: Final = 4
MOST_STRANGE: Final = 20  # messages before a log-in
_TIMELESS: Final = Refused(Fault.TIME, "a position without a time")
_SIMPLE: Final = frozenset({0x0002, 0x0003, 0x0004})
_ACKS: Final = frozenset({0x0001})
_WITH_POSITION: Final = frozenset({0x0201, 0x0500})
_ANSWERS: Final = frozenset({0x0104, 0x0802, 0x0805})
_KEPT: Final = {
    0x0701: "truck.waybill",
    0x0702: "truck.driver_card",
    0x0800: "truck.media",
    0x0801: "truck.photo",
    0x0900: "truck.passed_through",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """Say this to the terminal."""

    message: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Store:
    """Keep these readings; the reply, where one is due, goes out only once they are durable."""

    readings: tuple[Reading, ...]
    reply: Reply | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The terminal answers what was sent with `serial`; `result` is its general one, `body` all of another."""

    serial: int
    message: int
    result: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Keep:
    """Something that is no reading: waybill, driver, photo, content passed through; replied to once it is durable."""

    brought: Brought
    reply: Reply


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """This connection is the device's from now on."""

    device: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """A terminal that nobody told us of wants in."""

    phone: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection."""

    why: str


Action = Reply | Store | Answer | Keep | LoggedIn | Stranger | Close | Refused


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal we know: its device, its profile."""

    device: str
    profile: TrackerMap


@dataclass(frozen=True, slots=True)
class Book:
    """The terminals we know by phone number without leading zeros, and the secret their codes are made with."""

    terminals: Mapping[str, Terminal]
    secret: bytes

    def find(self, phone: str) -> Terminal | None:
        """The terminal with this number, however it is padded."""
        return self.terminals.get(bare(phone))

    def code(self, phone: str) -> str:
        """The code with which a terminal logs in."""
        return hmac.new(self.secret, bare(phone).encode(), hashlib.sha256).hexdigest()[:32]


def bare(phone: str) -> str:
    """A phone number without the zeros it is padded with."""
    return phone.lstrip("0")


@dataclass(slots=True)
class Session:
    """What is known of one connection. `take` is given every frame in order."""

    book: Book
    terminal: Terminal | None = None
    phone: str = ""
    protocol: int = 0
    edition: Edition = Edition.V2013
    strange: int = 0
    serial: int = 0
    assembly: Assembly = field(default_factory=Assembly)

    def header(self, message: int) -> Header:
        """The header of our next message."""
        self.serial = (self.serial + 1) & MOST_SERIAL
        return Header(message, self.phone, self.serial, self.protocol)

    def take(self, frame: Frame, now_ms: int, now_s: float) -> list[Action]:
        """What a frame brings about, in order; `now_ms` civil epoch ms, `now_s` monotonic."""
        header = frame.header
        if self.terminal is not None and bare(header.phone) != bare(self.phone):
            return [Close(f"{header.phone} speaks on the connection of {self.phone}")]
        self.phone, self.protocol = header.phone, header.protocol
        if header.total:
            whole = self.assembly.take(frame, now_s) if self.terminal else None
            if not isinstance(whole, Frame):
                return [whole] if whole else [_ack(header, OK)]
            frame = whole
        if self.terminal is None:
            return self._before_login(frame)
        return self._message(self.terminal, frame, now_ms)

    def late(self, now_s: float) -> list[Action]:
        """Fragments to ask for again, and messages that are given up."""
        found: list[Action] = []
        for one in self.assembly.late(now_s):
            if isinstance(one, Missing):
                values = {"answers_serial": one.serial, "fragments": list(one.numbers[:125])}
                found.append(Reply(0x8003, write_body(0x8003, values, self.edition)))
            else:
                found.append(one)
        return found

    def _before_login(self, frame: Frame) -> list[Action]:
        message = frame.header.message
        if message == 0x0100:
            return self._register(frame)
        if message == 0x0102:
            return self._log_in(frame)
        self.strange += 1
        if self.strange > MOST_STRANGE:
            return [Close("it never logged in")]
        return [_ack(frame.header, FAILED)]

    def _register(self, frame: Frame) -> list[Action]:
        self.edition = edition_of(frame)
        body = read_body(frame, self.edition)
        if isinstance(body, Refused):
            return [body, _ack(frame.header, BAD)]
        if self.book.find(frame.header.phone) is None:
            return [Stranger(frame.header.phone, body), self._registered(frame.header, NO_TERMINAL)]
        return [self._registered(frame.header, OK, self.book.code(frame.header.phone))]

    def _registered(self, header: Header, result: int, code: str | None = None) -> Reply:
        values = {"answers_serial": header.serial, "result": result} | ({} if code is None else {"code": code})
        return Reply(0x8100, write_body(0x8100, values, self.edition))

    def _log_in(self, frame: Frame) -> list[Action]:
        body = read_body(frame)
        if isinstance(body, Refused):
            return [body, _ack(frame.header, BAD)]
        terminal = self.book.find(frame.header.phone)
        right = self.book.code(frame.header.phone)
        if terminal is None:
            return [Stranger(frame.header.phone, {}), _ack(frame.header, FAILED), Close("it is not known")]
        if not hmac.compare_digest(str(body["code"]).encode(), right.encode()):
            self.strange += 1
            wrong = [_ack(frame.header, FAILED)]
            return [*wrong, Close("its code is wrong")] if self.strange > MOST_STRANGE else [*wrong]
        self.terminal = terminal
        self.edition = edition_of(frame) if frame.header.protocol else self.edition
        return [LoggedIn(terminal.device), _ack(frame.header, OK)]

    def _message(self, terminal: Terminal, frame: Frame, now_ms: int) -> list[Action]:
        message = frame.header.message
        if message in (0x0200, 0x0704):
            return _positions(terminal, frame, now_ms)
        if message in (0x0100, 0x0102):
            return self._before_login(frame)
        if message in _SIMPLE:
            return _simple(frame.header, now_ms)
        body = read_body(frame, self.edition)
        if isinstance(body, Refused):
            return [body, _ack(frame.header, BAD)]
        if message in _WITH_POSITION:
            found = _store([read_location(frame.body[2:])], terminal, now_ms, None, blind_area=False)
            return [*found, Answer(int(body["answers_serial"]), message, OK, body)]
        return self._understood(frame.header, body)

    def _understood(self, header: Header, body: Mapping[str, Any]) -> list[Action]:
        message = header.message
        if message in _ACKS:
            return [Answer(int(body["answers_serial"]), int(body["answers_message"]), int(body["result"]), body)]
        if message in _ANSWERS:
            return [Answer(int(body["answers_serial"]), message, int(body.get("result", OK)), body)]
        if message == 0x0801:
            reply = Reply(0x8800, write_body(0x8800, {"id": body["id"]}, self.edition))
            return [Keep(_brought(message, body), reply)]
        if message in _KEPT:
            return [Keep(_brought(message, body), _ack(header, OK))]
        return [_ack(header, UNSUPPORTED)]


def _simple(header: Header, now_ms: int) -> list[Action]:
    if header.message == 0x0004:
        return [Reply(0x8004, utc_bcd(now_ms))]
    signs_off: list[Action] = [Close("it signed off")] if header.message == 0x0003 else []
    return [_ack(header, OK), *signs_off]


def _positions(terminal: Terminal, frame: Frame, now_ms: int) -> list[Action]:
    header = frame.header
    blind_area = False
    found: list[Location | Refused]
    if header.message == 0x0200:
        found = [read_location(frame.body)]
    else:
        batch = read_batch(frame.body)
        if isinstance(batch, Refused):
            return [batch, _ack(header, BAD)]
        found, blind_area = list(batch.locations), batch.blind_area
    return _store(found, terminal, now_ms, header, blind_area=blind_area)


def _store(
    found: Iterable[Location | Refused], terminal: Terminal, now_ms: int, header: Header | None, *, blind_area: bool
) -> list[Action]:
    """What can be read is stored, what cannot is counted; a header is that of a message to be acknowledged."""
    found = tuple(found)
    actions: list[Action] = [one for one in found if isinstance(one, Refused)]
    actions += [_TIMELESS for one in found if isinstance(one, Location) and one.time_ms is None]
    readings = in_order(
        reading_of(terminal.device, terminal.profile, one, now_ms, blind_area=blind_area)
        for one in found
        if isinstance(one, Location)
    )
    if readings:
        actions.append(Store(readings, None if header is None else _ack(header, OK)))
    elif header is not None:
        actions.append(_ack(header, BAD))
    return actions


def _brought(message: int, body: Mapping[str, Any]) -> Brought:
    """Plain values stand in the event; a photo goes beside it, and the position it was taken at is told in short."""
    detail = {name: value for name, value in body.items() if isinstance(value, str | int | float)}
    content = bytes.fromhex(str(detail.pop("content", ""))) if message == 0x0801 else b""
    place = body.get("location")
    if isinstance(place, Mapping):
        detail |= {name: place[name] for name in ("latitude", "longitude", "time")}
    return Brought(_KEPT[message], detail, content)


def _ack(header: Header, result: int) -> Reply:
    values = {"answers_serial": header.serial, "answers_message": header.message, "result": result}
    return Reply(0x8001, write_body(0x8001, values, Edition.V2013))
