"""Operations on the gateway itself."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from lamplighter_contract.commands.command import Command, Operation
from lamplighter_contract.commands.results import DeviceResult
from lamplighter_contract.commands.states import CommandState
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.drivers.port import ReadFailed
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.spool.spool import Spool

RESTART_GRACE_S: Final = 0.5
RESTART_TIMEOUT_S: Final = 60.0
MOST_PROBED: Final = 20

Work = Callable[[Command], Awaitable[DeviceResult]]


class OwnWork:
    """Probe a bus, bring frames again, start anew. Results carry no device; words for a person are in `detail`."""

    def __init__(
        self,
        registry: Registry,
        actuator: Actuator,
        spool: Spool,
        look_again: Callable[[], None],
        restart: Callable[[], None],
    ) -> None:
        """`look_again` has the uplink look for waiting frames; `restart` ends this process start."""
        self._registry = registry
        self._actuator = actuator
        self._spool = spool
        self._look_again = look_again
        self._restart = restart

    def operations(self) -> Mapping[Operation, Work]:
        """What is done for which operation."""
        return {
            Operation.GATEWAY_PROBE: self._probe,
            Operation.GATEWAY_RESEND: self._resend,
            Operation.GATEWAY_RESTART: self._start_anew,
        }

    async def _probe(self, command: Command) -> DeviceResult:
        """Ask devices of the bus now, those thought silent before the others."""
        bus = command.args["bus"]
        driver = self._registry.drivers.get(bus)
        if driver is None:
            return DeviceResult("", CommandState.FAILED, "no such bus")
        silent = driver.status().silent
        others = (device for device, its in self._registry.bus_of.items() if its == bus and device not in silent)
        found = await self._actuator.read_all([*silent, *others][:MOST_PROBED])
        failed = [part.device for part in found if isinstance(part, ReadFailed)]
        words = f"{len(found) - len(failed)} of {len(found)} devices asked answered"
        if failed:
            words += f"; no answer: {', '.join(failed)}"
        if len(failed) == len(found):
            return DeviceResult("", CommandState.FAILED, "nobody answers", {"detail": words})
        return _verified(words)

    async def _resend(self, command: Command) -> DeviceResult:
        try:
            frames = await self._spool.resend(command.args["from"], command.args["to"])
        except DiskFullError:
            return DeviceResult("", CommandState.FAILED, "no room on the disk")
        self._look_again()
        return _verified(f"{frames} frames")

    async def _start_anew(self, _command: Command) -> DeviceResult:
        """Verified by the next process start, which finds the command open."""
        await asyncio.sleep(RESTART_GRACE_S)
        self._restart()
        await asyncio.sleep(RESTART_TIMEOUT_S)
        return DeviceResult("", CommandState.FAILED, "it did not stop")


def _verified(words: str) -> DeviceResult:
    return DeviceResult("", CommandState.VERIFIED, "", {"detail": words})
