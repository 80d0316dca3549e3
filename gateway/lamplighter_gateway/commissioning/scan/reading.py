"""A unit's registers as far as profiles ask for them: whole blocks first, one by one where a block is refused."""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Final

from lamplighter_gateway.commissioning.scan.signatures import Image, Place, Refused
from lamplighter_gateway.commissioning.wire.asking import ask
from lamplighter_gateway.commissioning.wire.frames import Kind, read_pdu
from lamplighter_gateway.commissioning.wire.port import Line
from lamplighter_gateway.profiles.model import Table

FUNCTIONS: Final = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
_BLOCK: Final = 16
_TRIES: Final = 2


async def read_image(line: Line, unit: int, wanted: Collection[Place], timeout_s: float) -> Image:
    """What the unit holds at the wanted places; those that never answered are missing."""
    found: dict[Place, int | Refused] = {}
    for table, start, count in blocks(wanted):
        answer = await _read(line, unit, table, start, count, timeout_s)
        if isinstance(answer, Refused) and count > 1:
            for address in range(start, start + count):
                alone = await _read(line, unit, table, address, 1, timeout_s)
                found |= _cells(table, address, 1, alone)
        else:
            found |= _cells(table, start, count, answer)
    return found


def blocks(wanted: Collection[Place]) -> Sequence[tuple[Table, int, int]]:
    """Runs of neighbouring places, none longer than every common controller answers."""
    runs: list[tuple[Table, int, int]] = []
    for table, places in groupby(sorted(set(wanted)), key=lambda place: place[0]):
        for _, address in places:
            last = runs[-1] if runs else None
            if last and last[0] is table and last[1] + last[2] == address and last[2] < _BLOCK:
                runs[-1] = (table, last[1], last[2] + 1)
            else:
                runs.append((table, address, 1))
    return runs


async def _read(
    line: Line, unit: int, table: Table, start: int, count: int, timeout_s: float
) -> bytes | Refused | None:
    for _ in range(_TRIES):
        said = (await ask(line, unit, read_pdu(FUNCTIONS[table], start, count), timeout_s)).said
        if said.kind is Kind.REFUSED:
            return Refused(said.code)
        if said.kind is Kind.GOOD:
            return said.block
    return None


def _cells(table: Table, start: int, count: int, answer: bytes | Refused | None) -> dict[Place, int | Refused]:
    if answer is None:
        return {}
    if isinstance(answer, Refused):
        return {(table, start + index): answer for index in range(count)}
    if table.is_bits:
        return {(table, start + index): answer[index // 8] >> index % 8 & 1 for index in range(count)}
    return {(table, start + i): int.from_bytes(answer[2 * i : 2 * i + 2], "big") for i in range(count)}
