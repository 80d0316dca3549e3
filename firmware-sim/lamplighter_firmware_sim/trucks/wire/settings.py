"""What a platform sets in a terminal and asks back: parameters by number, fences by number (JT/T 808-2013, 8.8)."""

from collections.abc import Iterable
from struct import Struct, error
from typing import Final

HEARTBEAT_S: Final = 0x0001
REPORT_S: Final = 0x0029
OVERSPEED_KMH: Final = 0x0055
_HEAD: Final = Struct(">IB")
_NUMBER: Final = Struct(">I")
_SET: Final = {0x8600, 0x8602, 0x8604, 0x8606, 0x8F08, 0x8F0B}
_LISTS: Final = {0x8600, 0x8602}
_DELETE: Final = {0x8601, 0x8603, 0x8605, 0x8607}
FENCING: Final = frozenset({*_SET, *_DELETE, 0x8F09})
_KIND: Final = {0x8600: 0, 0x8601: 0, 0x8602: 1, 0x8603: 1, 0x8604: 2, 0x8605: 2, 0x8F08: 2, 0x8606: 3, 0x8607: 3}


class Settings:
    """Those of one terminal."""

    def __init__(self, report_s: float) -> None:
        """As it left the factory."""
        self.parameters = {HEARTBEAT_S: _raw(20), REPORT_S: _raw(round(report_s)), OVERSPEED_KMH: _raw(60)}
        self.fences: set[tuple[int, int]] = set()  # by kind: circle, rectangle, polygon, route

    @property
    def report_s(self) -> int:
        """How often it reports."""
        return int.from_bytes(self.parameters[REPORT_S])

    def take(self, body: bytes) -> bool:
        """Parameters of 0x8103; False where the body is no such list."""
        at, found = 1, {}
        try:
            for _ in range(body[0]):
                number, size = _HEAD.unpack_from(body, at)
                at += _HEAD.size + size
                found[number] = body[at - size : at]
        except (error, IndexError):
            return False
        self.parameters |= found
        return at == len(body)

    def asked(self, body: bytes) -> Iterable[int]:
        """The numbers in 0x8106, all for the empty body of 0x8104."""
        if not body:
            return tuple(self.parameters)
        return [number for (number,) in _NUMBER.iter_unpack(body[1 : 1 + 4 * body[0]])]

    def told(self, serial: int, numbers: Iterable[int]) -> bytes:
        """Body of 0x0104."""
        known = [(number, self.parameters[number]) for number in numbers if number in self.parameters]
        items = b"".join(_HEAD.pack(number, len(raw)) + raw for number, raw in known)
        return serial.to_bytes(2) + bytes((len(known),)) + items

    def fence(self, message: int, body: bytes) -> None:
        """Watch fences from now on, or no more."""
        kind = _KIND.get(message)
        if message in _DELETE:
            numbers = self.asked(body) if body[0] else [number for its, number in self.fences if its == kind]
            self.fences -= {(kind, number) for number in numbers if kind is not None}
        elif message in _SET:
            at = 2 if message in _LISTS or message > 0x8F00 else 0
            self.fences.add((kind if kind is not None else 3, int.from_bytes(body[at : at + 4])))
        else:
            gone = {int.from_bytes(body[at : at + 4]) for at in range(4, len(body), 4)}
            self.fences = {one for one in self.fences if one[1] not in gone}


def _raw(number: int) -> bytes:
    return number.to_bytes(4)
