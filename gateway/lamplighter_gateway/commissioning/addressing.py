"""Giving a unit another number: only where its profile says how, and never onto a number that is taken."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lamplighter_gateway.commissioning.scan.reading import read_image
from lamplighter_gateway.commissioning.scan.signatures import Contradiction, addresses, contradictions
from lamplighter_gateway.commissioning.wire.asking import ask
from lamplighter_gateway.commissioning.wire.frames import Kind, read_pdu, write_pdu
from lamplighter_gateway.commissioning.wire.port import Line
from lamplighter_gateway.profiles.model import Profile

LOOKS: Final = 5  # a controller may start anew under its new number


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    NOT_POSSIBLE = "not-possible"  # the profile has no register for it
    OUT_OF_RANGE = "out-of-range"
    TAKEN = "taken"
    NOBODY = "nobody"
    OTHER_DEVICE = "other-device"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Addressed:
    """The outcome, what the unit said, and where its registers contradict the profile."""

    outcome: Outcome
    detail: str = ""
    contradictions: tuple[Contradiction, ...] = ()


async def give_number(line: Line, profile: Profile, unit: int, number: int, timeout_s: float) -> Addressed:
    """Make `unit` answer to `number`, and prove it: it answers there, and no longer where it was."""
    spec = profile.modbus.number if profile.modbus else None
    if spec is None:
        return Addressed(Outcome.NOT_POSSIBLE, profile.name)
    if not spec.minimum <= number <= spec.maximum:
        return Addressed(Outcome.OUT_OF_RANGE, f"{spec.minimum:g} to {spec.maximum:g}")
    refusal = await _unfit(line, profile, unit, number, timeout_s)
    if refusal is not None:
        return refusal
    said = (await ask(line, unit, write_pdu(spec.register.address, number), timeout_s)).said
    if said.kind is Kind.REFUSED:
        return Addressed(Outcome.REFUSED, f"exception {said.code}")
    return Addressed(Outcome.DONE if await _moved(line, unit, number, timeout_s) else Outcome.UNCONFIRMED)


async def _moved(line: Line, unit: int, number: int, timeout_s: float) -> bool:
    """Whether the unit answers to its new number, and no longer to the old one."""
    for _ in range(LOOKS):
        there = await _kind(line, number, timeout_s)
        if there in (Kind.GOOD, Kind.REFUSED) and await _kind(line, unit, timeout_s) is Kind.SILENT:
            return True
        await line.listen(timeout_s)
    return False


async def _unfit(line: Line, profile: Profile, unit: int, number: int, timeout_s: float) -> Addressed | None:
    """Why this unit is not written to: the number is taken, nobody is there, or it is not what the profile says."""
    if await _kind(line, number, timeout_s) is not Kind.SILENT:
        return Addressed(Outcome.TAKEN)
    kind = await _kind(line, unit, timeout_s)
    if kind not in (Kind.GOOD, Kind.REFUSED):
        return Addressed(Outcome.NOBODY, kind.value)
    image = await read_image(line, unit, set(addresses(profile)), timeout_s)
    wrong = tuple(contradictions(profile, image, unit=unit))
    return Addressed(Outcome.OTHER_DEVICE, contradictions=wrong) if wrong else None


async def _kind(line: Line, unit: int, timeout_s: float) -> Kind:
    return (await ask(line, unit, read_pdu(3, 0, 1), timeout_s)).said.kind
