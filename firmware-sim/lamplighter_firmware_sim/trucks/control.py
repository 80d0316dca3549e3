"""Orders to running trucks: a socket in their directory; one JSON line in, one JSON line out."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec

from lamplighter_firmware_sim.control import LineSocket
from lamplighter_firmware_sim.errors import SimError, UnknownTargetError
from lamplighter_firmware_sim.trucks.offences import Offence
from lamplighter_firmware_sim.trucks.serve import RunningTrucks

SOCKET_NAME: Final = "trucks.sock"
_TIMEOUT_S: Final = 5.0


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What a person wants: `do` is offend, see or list."""

    do: str
    truck: str = ""
    offence: str = ""


@contextlib.asynccontextmanager
async def ordering(trucks: RunningTrucks, directory: Path) -> AsyncIterator[None]:
    """Take orders until the block ends.

    Raises:
        SimError: other trucks are alive in this directory.
    """
    if await asyncio.to_thread(_alive, directory):
        raise SimError(f"{directory}: other simulated trucks are running in this directory")
    async with LineSocket(directory / SOCKET_NAME, lambda line: _answer(trucks, line)).listening():
        yield


def order(directory: Path, wanted: Order) -> Any:
    """Ask the trucks that run in `directory`.

    Raises:
        SimError: none are running there, or they refused; the message says why.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_TIMEOUT_S)
        try:
            line.connect(str(directory / SOCKET_NAME))
            line.sendall(msgspec.json.encode(wanted) + b"\n")
            with line.makefile("rb") as answer:
                reply = msgspec.json.decode(answer.read())
        except (OSError, msgspec.MsgspecError) as error:
            raise SimError(f"{directory}: no simulated trucks answer there ({error})") from error
    if "error" in reply:
        raise SimError(reply["error"])
    return reply["answer"]


def _answer(trucks: RunningTrucks, line: bytes) -> bytes:
    try:
        wanted = msgspec.json.decode(line, type=Order)
        return msgspec.json.encode({"answer": _do(trucks, wanted)})
    except (msgspec.MsgspecError, SimError, ValueError) as error:
        return msgspec.json.encode({"error": str(error)})


def _do(trucks: RunningTrucks, wanted: Order) -> Any:
    match wanted.do:
        case "offend":
            trucks.offend(wanted.truck, Offence(wanted.offence))
            return f"{wanted.truck}: {wanted.offence} as soon as its work allows it"
        case "see":
            return trucks.seen(wanted.truck)
        case "list":
            return [one.seen() for one in trucks.onboard.values()]
    raise UnknownTargetError(f"do {wanted.do!r}: expected offend, see or list")


def _alive(directory: Path) -> bool:
    try:
        order(directory, Order("list"))
    except SimError:
        return False
    return True
