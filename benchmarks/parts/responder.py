"""Modbus TCP slaves that cost next to nothing, so that the gateway is measured and not they.

Every unit shows the sixteen registers of the lamp-single profile; its power moves by 10 W at each answer, so that every
poll is a change worth reporting.
"""

import asyncio
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Final, TypeAlias, cast

import uvloop

from benchmarks.meter import wait_for
from benchmarks.parts.worker import CONTEXT, Counter, counter, worker

Ports: TypeAlias = "SynchronizedArray[int]"
REGISTERS: Final = 16
_REQUEST: Final = struct.Struct(">HHHBBHH")
_HEAD: Final = struct.Struct(">HHHBBB")
_POWER: Final = 4
_LAMP: Final = (1, 60, 2301, 261, 0, 951, 0, 4200, 381, 12, 0, 51_234, 311, 0, 2, 5)
_BLOCKS: Final = tuple(
    struct.pack(">16H", *(power if place == _POWER else value for place, value in enumerate(_LAMP)))
    for power in (571, 671)
)


class _Slaves(asyncio.Protocol):
    """One connection to one port's units; silent ones never answer."""

    def __init__(self, silent: frozenset[int], answered: Counter) -> None:
        self._silent = silent
        self._answered = answered
        self._turns = bytearray(256)
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        buffer, position, answers = self._rest + data, 0, []
        while len(buffer) - position >= _REQUEST.size:
            transaction, _, _, unit, function, address, count = _REQUEST.unpack_from(buffer, position)
            position += _REQUEST.size
            if unit not in self._silent:
                answers.append(self._answer(transaction, unit, function, address, count))
        self._rest = buffer[position:]
        self._answered.value += len(answers)
        self._transport.write(b"".join(answers))

    def _answer(self, transaction: int, unit: int, function: int, address: int, count: int) -> bytes:
        if function != 3 or address + count > REGISTERS:
            return _HEAD.pack(transaction, 0, 3, unit, function | 0x80, 2)
        self._turns[unit] ^= 1
        registers = _BLOCKS[self._turns[unit]][2 * address : 2 * (address + count)]
        return _HEAD.pack(transaction, 0, 3 + 2 * count, unit, 3, 2 * count) + registers


async def _serve(ports: Ports, silent: frozenset[int], answered: Counter) -> None:
    loop = asyncio.get_running_loop()
    for index in range(len(ports)):
        server = await loop.create_server(lambda: _Slaves(silent, answered), "127.0.0.1", 0)
        ports[index] = server.sockets[0].getsockname()[1]
    await asyncio.Event().wait()


def _run(ports: Ports, silent: frozenset[int], answered: Counter) -> None:
    uvloop.run(_serve(ports, silent, answered))


@dataclass(frozen=True, slots=True)
class Slaves:
    """Open ports, and how many requests were answered."""

    ports: tuple[int, ...]
    answered: Counter


@contextmanager
def slaves(ports: int, silent: Collection[int] = ()) -> Iterator[Slaves]:
    """Open so many ports; on each, every unit but the silent ones answers."""
    taken, answered = CONTEXT.Array("i", ports), counter()
    with worker(_run, taken, frozenset(silent), answered):
        wait_for("opening the Modbus ports", lambda: all(taken[:]), 10)
        yield Slaves(tuple(taken[:]), answered)
