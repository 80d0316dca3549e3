"""One question and what its answer says, on either kind of line."""

from dataclasses import dataclass

from lamplighter_gateway.commissioning.wire.frames import Kind, Said, understood_rtu, understood_tcp
from lamplighter_gateway.commissioning.wire.port import Heard, Line


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard, and what it says."""

    said: Said
    heard: Heard


async def ask(line: Line, unit: int, pdu: bytes, timeout_s: float) -> Answer:
    """Ask once."""
    heard = await line.ask(unit, pdu, timeout_s)
    if heard.closed and not heard.data:
        return Answer(Said(Kind.CLOSED), heard)
    if line.is_serial:
        return Answer(understood_rtu(unit, pdu, heard.data), heard)
    return Answer(understood_tcp(unit, pdu, heard.data, closed=heard.closed), heard)
