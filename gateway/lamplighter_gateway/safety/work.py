"""What commands about supply and locks do, device by device. None of them says that anything is safe."""

import asyncio
from collections.abc import Callable
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Command, Operation
from lamplighter_contract.commands.results import DeviceResult
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.limits import MAX_TEXT
from lamplighter_gateway.drivers.port import Point, ReadFailed, Reading, Written
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.safety.holds import OPENS, Hold, HoldKey, HoldKind, Holds

OPEN: Final = "open, 0 A; lock and test by hand"
NO_CURRENT_A: Final = 0.1
LOOKS: Final = 6  # a filter or a gas lamp lets go of the last current after seconds
LOOK_S: Final = 1.0
QUIET_S: Final = 20.0
OPERATIONS: Final = frozenset(
    {Operation.SUPPLY_ISOLATE, Operation.SUPPLY_RESTORE, Operation.DEVICE_LOCK, Operation.DEVICE_UNLOCK}
)


def holds_of(command: Command, devices: tuple[str, ...], civil_ms: int) -> tuple[Hold, ...]:
    """The holds that an accepted command begins."""
    if command.op is Operation.SUPPLY_ISOLATE:
        kind, holder = HoldKind.ISOLATED, command.by
    elif command.op is Operation.DEVICE_LOCK:
        kind, holder = HoldKind.LOCKED, str(command.args["holder"])
    else:
        return ()
    return tuple(Hold(device, kind, holder, command.id, command.seq, civil_ms) for device in devices)


def ended_by(command: Command, devices: tuple[str, ...]) -> tuple[HoldKey, ...]:
    """The holds that an accepted command ends, with the confirmation of the person on site."""
    if command.op is Operation.SUPPLY_RESTORE:
        return tuple((device, HoldKind.ISOLATED) for device in devices)
    if command.op is Operation.DEVICE_UNLOCK:
        return tuple((device, HoldKind.LOCKED) for device in devices)
    return ()


class SafetyWork:
    """Carries out what was stored: the hold is in force from its acceptance on, whatever is told here."""

    def __init__(self, holds: Holds, actuator: Actuator, wanted_percent: Callable[[str], float], clock: Clock) -> None:
        """`wanted_percent` is what the plan has for a circuit now, 0 = open."""
        self._holds, self._actuator, self._wanted_percent, self._clock = holds, actuator, wanted_percent, clock

    async def carry_out(self, command: Command, device: str) -> DeviceResult:
        """One command on one device, to its end."""
        if command.op is Operation.SUPPLY_ISOLATE:
            return await self._isolate(device)
        if command.op is Operation.SUPPLY_RESTORE:
            return await self._restore(command, device)
        if command.op is Operation.DEVICE_LOCK:
            return await self._quiet(device)
        return DeviceResult(device, CommandState.VERIFIED, "", {"locked": False})

    async def _isolate(self, device: str) -> DeviceResult:
        written = await self._contactor(device, 0.0, OPENS)
        found: Reading | ReadFailed = ReadFailed(device, written.reason or "it was not read back")
        for _ in range(LOOKS):
            found = await self._actuator.read(device)
            result = _opened(device, found)
            if result.state is CommandState.VERIFIED:
                return result
            await asyncio.sleep(LOOK_S)
        return _opened(device, found)

    async def _restore(self, command: Command, device: str) -> DeviceResult:
        """Back to what the plan has for it; at noon that is open."""
        closed = self._wanted_percent(device) > 0
        if closed:
            await self._contactor(device, 1.0, command.by)
        found = await self._actuator.read(device)
        for _ in range(LOOKS if closed else 0):
            if isinstance(found, Reading) and _flows(found):
                break
            await asyncio.sleep(LOOK_S)
            found = await self._actuator.read(device)
        return _restored(device, found, closed=closed)

    async def _quiet(self, device: str) -> DeviceResult:
        """A lock holds once nothing is on its way any more that was begun before it."""
        covered = {device, *self._holds.lamps_on(device)}
        end_s = self._clock.monotonic_s() + QUIET_S
        while covered & self._actuator.busy:
            if self._clock.monotonic_s() >= end_s:
                return DeviceResult(device, CommandState.UNCONFIRMED, "something begun before is still on its way")
            await asyncio.sleep(0.1)
        return DeviceResult(device, CommandState.VERIFIED, "", {"locked": True})

    async def _contactor(self, device: str, value: float, by: str) -> Written:
        written: list[Written] = []
        await self._actuator.write(Point.CONTACTOR, {device: value}, lambda _device: None, written.extend, by=by)
        return written[0]


def _flows(found: Reading) -> bool:
    current_a = found.values.get("circuit_current_a")
    return isinstance(current_a, int | float) and current_a > NO_CURRENT_A


def _restored(device: str, found: Reading | ReadFailed, *, closed: bool) -> DeviceResult:
    """What the contactor and the circuit's current say; closed without a current is told as that."""
    if isinstance(found, ReadFailed):
        return DeviceResult(device, CommandState.UNCONFIRMED, found.reason[:MAX_TEXT])
    values = dict(found.values)
    shown, current_a = values.get("contactor_closed"), values.get("circuit_current_a")
    if shown is not closed:
        return DeviceResult(device, CommandState.FAILED, f"contactor_closed is {shown}", values)
    if not closed:
        return DeviceResult(device, CommandState.VERIFIED, "open by plan", values)
    if not isinstance(current_a, int | float):
        return DeviceResult(device, CommandState.UNCONFIRMED, "closed, and its current cannot be read", values)
    return DeviceResult(device, CommandState.VERIFIED, f"closed, {current_a:g} A", values)


def _opened(device: str, found: Reading | ReadFailed) -> DeviceResult:
    """Open is what the contactor and the circuit's current both say; one of them alone is not enough."""
    if isinstance(found, ReadFailed):
        return DeviceResult(device, CommandState.UNCONFIRMED, found.reason[:MAX_TEXT])
    values = dict(found.values)
    current_a = values.get("circuit_current_a")
    if values.get("contactor_closed") is not False:
        return DeviceResult(device, CommandState.FAILED, "the contactor does not say that it is open", values)
    if not isinstance(current_a, int | float):
        return DeviceResult(device, CommandState.UNCONFIRMED, "open, and its current cannot be read", values)
    if current_a > NO_CURRENT_A:
        return DeviceResult(device, CommandState.FAILED, f"open, but {current_a:g} A flow", values)
    return DeviceResult(device, CommandState.VERIFIED, OPEN, values)
