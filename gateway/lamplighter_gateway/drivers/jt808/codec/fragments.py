"""Long messages come in fragments; they are joined here, and what is missing is told (JT/T 808-2013, 4.4.3)."""

from dataclasses import dataclass, field
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.frame import MOST_SERIAL, Frame, Header

MOST_FRAGMENTS: Final = 1_024  # a photo of 1 MB
MOST_BYTES: Final = 1 << 20
MOST_MESSAGES: Final = 8  # under way at once from one terminal
PATIENCE_S: Final = 10.0  # without a new fragment, before what is missing is asked for
MOST_REQUESTS: Final = 3
LONGEST_S: Final = 600.0  # from its first fragment, however often another one comes
PIECE_BYTES: Final = 128  # what holding a fragment costs beside its bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """Ask for these fragments again with 0x8003; `serial` is that of the message's first fragment."""

    message: int
    serial: int
    numbers: tuple[int, ...]


class Room:
    """How many bytes unfinished messages may take, of all terminals that share it."""

    def __init__(self, most_bytes: int) -> None:
        """Begin empty."""
        self._most_bytes = most_bytes
        self.used = 0

    def take(self, size: int) -> bool:
        """False, and nothing is taken, where there is no room for so many more."""
        if self.used + size > self._most_bytes:
            return False
        self.used += size
        return True

    def give_back(self, size: int) -> None:
        """So many are free again."""
        self.used -= size


@dataclass(slots=True)
class _Message:
    total: int
    begun_s: float
    heard_s: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    requests: int = 0

    def missing(self) -> tuple[int, ...]:
        return tuple(number for number in range(1, self.total + 1) if number not in self.pieces)


class Assembly:
    """The unfinished messages of one terminal. Order and repeats do not matter; what never ends is let go.

    A message is known by its id, its number of fragments and the serial number of its first one.
    """

    def __init__(self, room: Room | None = None) -> None:
        """Nothing has come; `room` is shared with other terminals."""
        self._messages: dict[tuple[int, int], _Message] = {}
        self._room = room or Room(MOST_MESSAGES * MOST_BYTES)

    def __len__(self) -> int:
        """Messages under way."""
        return len(self._messages)

    def take(self, frame: Frame, now_s: float) -> Frame | Refused | None:
        """The whole message once its last fragment is there, under the header of its first one; None until then."""
        header = frame.header
        if header.total > MOST_FRAGMENTS:
            return Refused(Fault.FRAGMENT, f"{header.total} fragments, at most {MOST_FRAGMENTS} are taken")
        first = (header.serial - header.number + 1) & MOST_SERIAL
        key = (header.message, first)
        message = self._messages.get(key)
        if message is None or message.total != header.total:
            message = self._begin(key, header, now_s)
        return self._add(key, message, frame, now_s)

    def late(self, now_s: float) -> list[Missing | Refused]:
        """What to ask for again, and which messages are given up after the last try."""
        found: list[Missing | Refused] = []
        for key, message in list(self._messages.items()):
            tired = now_s - message.begun_s > LONGEST_S
            if now_s - message.heard_s < PATIENCE_S * (message.requests + 1) and not tired:
                continue
            numbers = message.missing()
            if message.requests == MOST_REQUESTS or tired:
                self._forget(key)
                found.append(Refused(Fault.FRAGMENT, f"0x{key[0]:04x} lacks {len(numbers)} of {message.total}"))
            else:
                message.requests += 1
                message.heard_s = now_s
                found.append(Missing(key[0], key[1], numbers))
        return found

    def close(self) -> None:
        """Let go of whatever is unfinished."""
        for key in list(self._messages):
            self._forget(key)

    def _forget(self, key: tuple[int, int]) -> None:
        message = self._messages.pop(key)
        self._room.give_back(message.size + PIECE_BYTES * len(message.pieces))

    def _begin(self, key: tuple[int, int], header: Header, now_s: float) -> _Message:
        if key in self._messages:
            self._forget(key)
        elif len(self._messages) >= MOST_MESSAGES:
            self._forget(min(self._messages, key=lambda one: self._messages[one].heard_s))
        self._messages[key] = _Message(header.total, now_s, now_s)
        return self._messages[key]

    def _add(self, key: tuple[int, int], message: _Message, frame: Frame, now_s: float) -> Frame | Refused | None:
        number, body = frame.header.number, frame.body
        message.heard_s = now_s
        if number not in message.pieces:
            if not self._room.take(len(body) + PIECE_BYTES):
                return Refused(Fault.CROWDED, "too many messages are unfinished")
            message.pieces[number] = body
            message.size += len(body)
        if message.size > MOST_BYTES:
            self._forget(key)
            return Refused(Fault.FRAGMENT, f"more than {MOST_BYTES} bytes in one message")
        if len(message.pieces) < message.total:
            return None
        self._forget(key)
        whole = b"".join(message.pieces[place] for place in range(1, message.total + 1))
        return Frame(frame.header._replace(serial=key[1], total=0, number=0), whole)
