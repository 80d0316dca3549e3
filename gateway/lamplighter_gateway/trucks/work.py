"""What commands to trucks do, device by device."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Command, Operation
from lamplighter_contract.commands.results import DeviceResult
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.truck.interlock import STANDSTILL_KMH
from lamplighter_contract.wire.limits import MAX_TEXT
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Reading, Trackers, Write
from lamplighter_gateway.trucks.evidence.work import EvidenceWork
from lamplighter_gateway.trucks.keeper import LimitKeeper
from lamplighter_gateway.trucks.limits import Limit, LimitKey, What

LOCATE_S: Final = 20.0
SPEAK_S: Final = 30.0
INSTRUCT_S: Final = 45.0
AFTER_EXPIRY_S: Final = 60.0
LIMITS: Final = {Operation.TRUCK_LIMIT_SPEED: What.SPEED, Operation.TRUCK_LIMIT_LIFT: What.LIFT}
INSTRUCTIONS: Final = frozenset(
    {
        Operation.TRUCK_TRACK,
        Operation.TRUCK_PHOTO,
        Operation.TRUCK_CONFIRM_ALARM,
        Operation.TRUCK_PARAMETERS,
        Operation.TRUCK_SET_PARAMETERS,
        Operation.TRUCK_FENCE,
        Operation.TRUCK_UNFENCE,
        Operation.TRUCK_CONTROL,
    }
)
OPERATIONS: Final = frozenset(
    {
        *LIMITS,
        Operation.TRUCK_RELEASE,
        Operation.TRUCK_SPEAK,
        Operation.TRUCK_LOCATE,
        Operation.TRUCK_EVIDENCE,
        *INSTRUCTIONS,
    }
)
AGAIN: Final = OPERATIONS - {Operation.TRUCK_SPEAK, Operation.TRUCK_PHOTO, Operation.TRUCK_CONTROL}  # after a stop


def limits_of(command: Command, devices: tuple[str, ...]) -> tuple[Limit, ...]:
    """The limits that an accepted command asks for."""
    what = LIMITS.get(command.op)
    if what is None:
        return ()
    target = float(command.args.get("limit_kmh", 0))
    until = int(command.args["until"])
    closed = tuple(tuple((float(north), float(east)) for north, east in one) for one in command.args.get("closed", ()))
    limit = Limit("", what, target, until, command.expires, command.id, command.seq, closed=closed)
    return tuple(replace(limit, device=device) for device in devices)


def released_by(command: Command, devices: tuple[str, ...]) -> tuple[LimitKey, ...]:
    """The limits that an accepted command ends: of the kind it names, or all of a truck."""
    if command.op is not Operation.TRUCK_RELEASE:
        return ()
    named = command.args.get("what")
    kinds = [What(named)] if named else list(What)
    return tuple((device, what) for device in devices for what in kinds)


class TruckWork:
    """Carries out commands to trucks."""

    def __init__(
        self,
        keeper: LimitKeeper,
        limits: Callable[[], Mapping[LimitKey, Limit]],
        trackers: Callable[[str], Trackers | None],
        clock: Clock,
        evidence: EvidenceWork,
    ) -> None:
        """`limits` are those on disk now."""
        self._evidence = evidence
        self._keeper, self._limits, self._trackers, self._clock = keeper, limits, trackers, clock

    async def carry_out(self, command: Command, device: str) -> DeviceResult:
        """One command on one truck, to its end."""
        if command.op is Operation.TRUCK_EVIDENCE:
            return await self._evidence.carry_out(command, device)
        trackers = self._trackers(device)
        if trackers is None:
            return DeviceResult(device, CommandState.REJECTED, "no tracker")
        if command.op in LIMITS:
            return await self._limit(command, device, LIMITS[command.op])
        if command.op is Operation.TRUCK_RELEASE:
            return await self._release(command, device)
        return await self._ask(command, device, trackers)

    async def _ask(self, command: Command, device: str, trackers: Trackers) -> DeviceResult:
        if command.op is Operation.TRUCK_LOCATE:
            return _read(device, await trackers.read(device, LOCATE_S))
        if command.op in INSTRUCTIONS:
            return await self._instruct(command, device, trackers)
        return await self._speak(command, device, trackers)

    async def _limit(self, command: Command, device: str, what: What) -> DeviceResult:
        waiting = self._keeper.outcome(command.id, device)
        self._keeper.look_again(device)
        left_s = max(0.0, (command.expires - self._clock.wall_ms()) / 1000) + AFTER_EXPIRY_S
        done, _ = await asyncio.wait([waiting], timeout=left_s)
        if not done:
            return DeviceResult(device, CommandState.UNCONFIRMED, f"the {what} limit was not settled")
        state, reason = waiting.result()
        return DeviceResult(device, state, reason[:MAX_TEXT], self._shown(device))

    async def _release(self, command: Command, device: str) -> DeviceResult:
        """Verified once nothing of it is owed any more; what still is goes on being sent, whatever is told here."""
        self._keeper.look_again(device)
        keys = released_by(command, (device,))
        while command.expires > self._clock.wall_ms():
            owed = self._limits()
            if not any(key in owed for key in keys):
                return DeviceResult(device, CommandState.VERIFIED, "", self._shown(device))
            await asyncio.sleep(1.0)
        return DeviceResult(device, CommandState.UNCONFIRMED, "still owed, and sent until the truck shows it")

    async def _speak(self, command: Command, device: str, trackers: Trackers) -> DeviceResult:
        deadline_s = self._clock.monotonic_s() + SPEAK_S
        write = Write(device, Point.SPEAK, 0.0, deadline_s, str(command.args["text"]))
        [told] = await trackers.write([write], lambda _device: None, broadcast=False)
        if told.outcome is Outcome.APPLIED:
            return DeviceResult(device, CommandState.VERIFIED, "the terminal acknowledged it")
        return DeviceResult(device, CommandState(told.outcome), told.reason[:MAX_TEXT])

    async def _instruct(self, command: Command, device: str, trackers: Trackers) -> DeviceResult:
        if command.op is Operation.TRUCK_CONTROL and not await self._stands(device, trackers):
            return DeviceResult(device, CommandState.FAILED, "it is not known to stand still")
        done = await trackers.instruct(device, command.op, command.args, INSTRUCT_S)
        if done.outcome is Outcome.APPLIED:
            return DeviceResult(device, CommandState.VERIFIED, "the terminal acknowledged it")
        return DeviceResult(device, CommandState(done.outcome), done.reason[:MAX_TEXT], dict(done.told))

    async def _stands(self, device: str, trackers: Trackers) -> bool:
        """True when its terminal, asked just now, says that it does not move."""
        found = await trackers.read(device, LOCATE_S)
        if isinstance(found, ReadFailed):
            return False
        speed_kmh = found.values.get("speed_kmh")
        return isinstance(speed_kmh, int | float) and speed_kmh <= STANDSTILL_KMH

    def _shown(self, device: str) -> dict[str, float | int | bool | str | None]:
        reading = self._keeper.sight(device).reading
        return dict(reading.values) if reading is not None else {}


def _read(device: str, found: Reading | ReadFailed) -> DeviceResult:
    if isinstance(found, ReadFailed):
        return DeviceResult(device, CommandState.FAILED, found.reason[:MAX_TEXT])
    return DeviceResult(device, CommandState.VERIFIED, "", dict(found.values))
