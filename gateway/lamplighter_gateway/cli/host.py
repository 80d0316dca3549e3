"""Where commissioning runs: in the gateway that serves this data folder, or, where none does, in one of our own."""

import asyncio
import logging
import os
import pwd
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lamplighter_contract.quantities import Kind
from lamplighter_gateway.commissioning.walk.journal import RecordFile
from lamplighter_gateway.commissioning.walk.record import told
from lamplighter_gateway.config.model import Config
from lamplighter_gateway.control import Answer, NotRunningError, ask
from lamplighter_gateway.disk import DataInUseError, StorageFailedError
from lamplighter_gateway.errors import GatewayError

if TYPE_CHECKING:
    from lamplighter_gateway.app import Gateway

START_S: Final = 30.0
STOP_S: Final = 15.0
LOOK_S: Final = 0.1

Speak = Callable[..., Awaitable[Answer]]


class RefusedError(GatewayError):
    """The gateway did not do what was asked; the message says why."""


async def hosted(config: Config, work: Callable[[Speak], Awaitable[Any]], *, alone: Callable[[], None]) -> Any:
    """Do `work` beside a gateway of this configuration; `alone` is called before one is started here.

    Raises:
        RefusedError: no gateway could be started, or it did not do what was asked.
    """

    async def speak(step: str, **details: object) -> Answer:
        answer = await ask(config.data, {"do": "commission", "step": step, **details})
        if "error" in answer:
            raise RefusedError(str(answer["error"]))
        return answer

    if await _runs(config):
        return await work(speak)
    alone()
    logging.getLogger("lamplighter_gateway").setLevel(logging.ERROR)
    gateway = _own(config)
    task = asyncio.create_task(gateway.run(), name="gateway")
    try:
        await _until_it_serves(config, task)
        return await work(speak)
    finally:
        await _stopped(gateway, task)


async def told_by_disk(config: Config) -> Answer:
    """What a gateway that does not run would tell of its record."""
    file = RecordFile(config.data)
    await file.open()
    of_kind = {kind: [one.id for one in config.devices if one.profile.kind is kind] for kind in Kind}
    return told(config.gateway, file.record, of_kind[Kind.LAMP], of_kind[Kind.CIRCUIT])


def _own(config: Config) -> "Gateway":
    # Imported late: the other commands are quick without the wires' libraries.
    from lamplighter_gateway.assembly import UnusableFileError, build  # noqa: PLC0415
    from lamplighter_gateway.commissioning.equipment import equip  # noqa: PLC0415
    from lamplighter_gateway.link.nobody import NoLink  # noqa: PLC0415

    _check_owner(config.data)
    try:
        gateway = build(config, NoLink())
    except UnusableFileError as error:
        raise RefusedError(str(error)) from error
    equip(gateway, config)
    return gateway


def _check_owner(folder: Path) -> None:
    """What another user leaves in the data folder, the service could not read."""
    if not folder.exists() or folder.stat().st_uid == os.geteuid():
        return
    try:
        owner = pwd.getpwuid(folder.stat().st_uid).pw_name
    except KeyError:
        owner = str(folder.stat().st_uid)
    raise RefusedError(f"{folder} belongs to {owner}: run this as that user (sudo -u {owner} …)")


async def _runs(config: Config) -> bool:
    try:
        await ask(config.data, {"do": "status"})
    except NotRunningError:
        return False
    return True


async def _until_it_serves(config: Config, task: asyncio.Task[Any]) -> None:
    try:
        async with asyncio.timeout(START_S):
            while not task.done() and not await _runs(config):
                await asyncio.wait({task}, timeout=LOOK_S)
    except TimeoutError as error:
        raise RefusedError(f"the gateway did not start within {START_S:g} s") from error
    if task.done():
        await task


async def _stopped(gateway: "Gateway", task: asyncio.Task[Any]) -> None:
    gateway.stop()
    try:
        async with asyncio.timeout(STOP_S):
            await task
    except (DataInUseError, StorageFailedError) as error:
        raise RefusedError(str(error)) from error
