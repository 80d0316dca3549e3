"""The scan itself: every number of a range is asked, those that answer are read and recognised."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from lamplighter_gateway.commissioning.scan.conflicts import Found
from lamplighter_gateway.commissioning.scan.reading import read_image
from lamplighter_gateway.commissioning.scan.signatures import Place, addresses, recognised
from lamplighter_gateway.commissioning.wire.asking import ask
from lamplighter_gateway.commissioning.wire.frames import Kind, read_pdu
from lamplighter_gateway.commissioning.wire.port import Line
from lamplighter_gateway.config.model import Device
from lamplighter_gateway.profiles.model import Profile

GARBLED_TIMES: Final = 3  # in a row, before two devices of one number are believed in
_SPOILT: Final = (Kind.GARBLED, Kind.LEVELS)


@dataclass(slots=True)
class Scan:
    """One scan of an open line. `say` is told how far it is: units asked, of how many, and how many were found."""

    line: Line
    units: range
    profiles: Sequence[Profile]
    devices: Sequence[Device]
    timeout_s: float
    say: Callable[[int, int, int], None] = lambda _asked, _all, _found: None
    _found: list[Found] = field(default_factory=list)

    async def run(self) -> tuple[Found, ...]:
        """Every unit that said something."""
        for number, unit in enumerate(self.units, start=1):
            kind = await self._ask(unit)
            if kind in _SPOILT:
                self._found.append(Found(unit, double=True))
            elif kind in (Kind.GOOD, Kind.REFUSED):
                self._found.append(await self._look(unit))
            self.say(number, len(self.units), len(self._found))
        return tuple(self._found)

    async def _ask(self, unit: int) -> Kind:
        """The first usable answer of a few; a unit that says nothing is asked once."""
        kind = Kind.SILENT
        for _ in range(GARBLED_TIMES):
            kind = (await ask(self.line, unit, read_pdu(3, 0, 1), self.timeout_s)).said.kind
            if kind not in (*_SPOILT, Kind.FOREIGN):
                return kind
        return kind

    async def _look(self, unit: int) -> Found:
        image = await read_image(self.line, unit, set(self._wanted(unit)), self.timeout_s)
        profile = recognised(self.profiles, image)
        return Found(unit, profile.name if profile else "", image=image)

    def _wanted(self, unit: int) -> Iterator[Place]:
        for profile in self.profiles:
            yield from addresses(profile)
        for device in self.devices:
            if device.unit == unit:
                yield from addresses(device.profile, device.offset)
