"""What message bodies are made of: each kind of field reads itself from bytes and writes itself back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol

from lamplighter_gateway.drivers.jt808.codec import values
from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Malformed

MICRODEGREES: Final = 1_000_000


class Edition(IntEnum):
    """Which text of the standard a terminal keeps to."""

    V2011 = 2011
    V2013 = 2013
    V2019 = 2019


class Reader:
    """A body that is read from its front."""

    __slots__ = ("at", "body")

    def __init__(self, body: bytes, at: int = 0) -> None:
        """Begin at `at`."""
        self.body, self.at = body, at

    def left(self) -> int:
        """Bytes not read yet."""
        return len(self.body) - self.at

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            Malformed: there are fewer.
        """
        if size > self.left():
            raise Malformed(Fault.BODY, f"{size} bytes are wanted at {self.at}, {self.left()} are left")
        self.at += size
        return self.body[self.at - size : self.at]

    def number(self, size: int) -> int:
        """An unsigned number."""
        return int.from_bytes(self.take(size), "big")


class Kind(Protocol):
    """How one field is written. `write` raises ValueError or OverflowError where the value does not fit."""

    def read(self, reader: Reader) -> Any:
        """The value, as plain JSON has it."""

    def write(self, value: Any) -> bytes:
        """Its bytes."""


@dataclass(frozen=True, slots=True)
class Number:
    """An unsigned number, most significant byte first."""

    size: int

    def read(self, reader: Reader) -> int:
        """The number."""
        return reader.number(self.size)

    def write(self, value: int) -> bytes:
        """Its bytes."""
        return value.to_bytes(self.size, "big")


BYTE: Final = Number(1)
WORD: Final = Number(2)
DWORD: Final = Number(4)


@dataclass(frozen=True, slots=True)
class Degrees:
    """Millionths of a degree; the sign is kept elsewhere."""

    def read(self, reader: Reader) -> float:
        """Degrees."""
        return reader.number(4) / MICRODEGREES

    def write(self, value: float) -> bytes:
        """Its bytes."""
        return round(value * MICRODEGREES).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Digits:
    """BCD of so many bytes."""

    size: int

    def read(self, reader: Reader) -> str:
        """The digits."""
        return values.digits(reader.take(self.size))

    def write(self, value: str) -> bytes:
        """Its bytes."""
        raw = bytes.fromhex(values.digits(bytes.fromhex(value)))
        if len(raw) != self.size:
            raise ValueError(f"{value!r} has {len(value)} digits, expected {2 * self.size}")
        return raw


@dataclass(frozen=True, slots=True)
class Moment:
    """Six BCD bytes at +08:00."""

    def read(self, reader: Reader) -> str:
        """ISO 8601."""
        return values.time_text(reader.take(6))

    def write(self, value: str) -> bytes:
        """Its bytes."""
        return values.time_from_text(value)


@dataclass(frozen=True, slots=True)
class Text:
    """GBK of a fixed size, filled up with zeros; size 0 takes whatever is left."""

    size: int = 0

    def read(self, reader: Reader) -> str:
        """The text without its zeros."""
        return values.text(reader.take(self.size or reader.left()))

    def write(self, value: str) -> bytes:
        """Its bytes."""
        raw = value.encode(values.TEXT)
        if self.size and len(raw) > self.size:
            raise ValueError(f"{value!r} takes {len(raw)} bytes, there is room for {self.size}")
        return raw.ljust(self.size, b"\0")


@dataclass(frozen=True, slots=True)
class CountedText:
    """GBK behind its length."""

    count: Number = BYTE

    def read(self, reader: Reader) -> str:
        """The text."""
        return values.text(reader.take(self.count.read(reader)))

    def write(self, value: str) -> bytes:
        """Its bytes."""
        raw = value.encode(values.TEXT)
        return self.count.write(len(raw)) + raw


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as hexadecimal text: of a fixed size, behind a length, or whatever is left."""

    size: int = 0
    count: Number | None = None

    def read(self, reader: Reader) -> str:
        """Hexadecimal text."""
        size = self.count.read(reader) if self.count else self.size or reader.left()
        return reader.take(size).hex()

    def write(self, value: str) -> bytes:
        """Its bytes."""
        raw = bytes.fromhex(value)
        if self.count:
            return self.count.write(len(raw)) + raw
        if self.size and len(raw) != self.size:
            raise ValueError(f"{len(raw)} bytes, expected {self.size}")
        return raw


@dataclass(frozen=True, slots=True)
class Field:
    """A named value of a body.

    It is there where a bit of the earlier field `needs` is set, from the edition `since` on; an `optional` one may be
    missing at the end of the body together with all that follows.
    """

    name: str
    kind: Kind
    needs: tuple[str, int] | None = None
    since: Edition = Edition.V2011
    until: Edition = Edition.V2019
    optional: bool = False

    def stands(self, edition: Edition, before: Mapping[str, Any]) -> bool:
        """True where the body has it."""
        if not self.since <= edition <= self.until:
            return False
        return self.needs is None or bool(before[self.needs[0]] & self.needs[1])


@dataclass(frozen=True, slots=True)
class Group:
    """Fields in their order."""

    fields: tuple[Field, ...]
    edition: Edition

    def read(self, reader: Reader) -> dict[str, Any]:
        """Values by name."""
        found: dict[str, Any] = {}
        for field in self.fields:
            if field.stands(self.edition, found):
                if field.optional and not reader.left():
                    break
                found[field.name] = field.kind.read(reader)
        return found

    def write(self, value: Mapping[str, Any]) -> bytes:
        """Its bytes."""
        parts = []
        for field in self.fields:
            if field.stands(self.edition, value):
                if field.optional and field.name not in value:
                    break
                parts.append(field.kind.write(value[field.name]))
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Many:
    """Items behind their number, or to the end of the body."""

    item: Kind
    count: Number | None = BYTE

    def read(self, reader: Reader) -> list[Any]:
        """The items."""
        if self.count is not None:
            return [self.item.read(reader) for _ in range(self.count.read(reader))]
        found = []
        while reader.left():
            found.append(self.item.read(reader))
        return found

    def write(self, value: Sequence[Any]) -> bytes:
        """Its bytes."""
        head = b"" if self.count is None else self.count.write(len(value))
        return head + b"".join(self.item.write(item) for item in value)
