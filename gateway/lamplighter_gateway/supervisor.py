"""One gateway process from signal to exit code: the only place that catches what nobody expected."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from enum import Enum
from typing import Final

from lamplighter_gateway.app import Ending, Gateway
from lamplighter_gateway.assembly import UnusableFileError, assemble
from lamplighter_gateway.change.starting import Start
from lamplighter_gateway.disk import DataInUseError, DiskFullError, StorageFailedError
from lamplighter_gateway.support.ring import Ring
from lamplighter_gateway.update.launcher import SWITCH
from lamplighter_gateway.watch.service_manager import ServiceManager

log = logging.getLogger(__name__)


class Exit(Enum):
    """How the process ends; the value is its exit code."""

    CLEAN = 0
    FAILED = 1
    CONFIG = 2
    RESTART = 3
    SWITCH = SWITCH
    DISK = 74  # EX_IOERR of sysexits.h


LINE: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
ENDINGS: Final = {Ending.STOPPED: Exit.CLEAN, Ending.RESTART: Exit.RESTART, Ending.SWITCH: Exit.SWITCH}
WORDS: Final = {
    Exit.CLEAN: "stopped",
    Exit.RESTART: "restarting as told",
    Exit.SWITCH: "ending, so that the other version can be started",
}


async def supervise(start: Start, environment: Mapping[str, str]) -> Exit:
    """Build and run the gateway until a signal, a restart command or a failure ends it."""
    ring = Ring()
    ring.setFormatter(logging.Formatter(LINE))
    logging.getLogger().addHandler(ring)
    try:
        gateway = assemble(start, environment, ring)
    except UnusableFileError as error:
        log.critical("%s", error)
        return Exit.CONFIG
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, gateway.stop)
    return await _to_the_end(gateway, ServiceManager(environment))


async def _to_the_end(gateway: Gateway, manager: ServiceManager) -> Exit:
    end = Exit.CLEAN
    try:
        end = ENDINGS[await gateway.run(manager)]
    except* (StorageFailedError, DataInUseError, DiskFullError) as failures:
        log.critical("stopping: %s", _first(failures))
        end = Exit.DISK
    except* Exception:
        log.critical("stopping on an error nobody expected", exc_info=True)
        end = Exit.FAILED
    else:
        log.info("%s", WORDS[end])
    return end


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
