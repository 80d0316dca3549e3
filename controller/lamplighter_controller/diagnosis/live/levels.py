"""One lamp taken through the levels of a test and read back at each."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_controller.commands.model import CommandRequest
from lamplighter_controller.diagnosis.live.isolating import Commands
from lamplighter_controller.diagnosis.trials.sequence import LEVELS
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.events import Event, Events, ReadingsStored, Subscription

NEAR_PERCENT: Final = 5.0
GRACE: Final = 3.0  # dwells to wait for a reading at one level


class TrialFailed(ControllerError):
    """A test came to no end; the text says why."""


class Levels:
    """Every command of a test ends by itself, whatever becomes of us."""

    def __init__(self, commands: Commands, events: Events, clock: Clock, dwell_s: float, rate: float) -> None:
        """Stay `dwell_s` real seconds at each level; civil time runs `rate` times as fast."""
        self._commands, self._events, self._clock = commands, events, clock
        self._dwell_s, self._rate = dwell_s, rate

    async def run(self, device: str, name: str, who: str) -> tuple[tuple[float, float], ...]:
        """(level percent, watts) for each level; the lamp goes back to its plan.

        Raises:
            TrialFailed: a command was refused, or no reading came.
            LedgerUnavailable: nothing can be commanded now.
        """
        refusal: Refusal | None = None
        read: list[tuple[float, float]] = []
        with self._events.subscribe(ReadingsStored) as news:
            for level in LEVELS:
                refusal = await self._set(device, level, f"{name}:{level:g}", who)
                watts = None if refusal else await self._read(news, device, level)
                if watts is None:
                    break
                read.append((level, watts))
        await self._submit(Operation.LIGHT_RESUME, device, {}, f"{name}:resume", who)
        if len(read) < len(LEVELS):
            raise TrialFailed(refusal.detail if refusal else f"no reading came at {LEVELS[len(read)]:g} %")
        return tuple(read)

    async def _read(self, news: Subscription, device: str, level: float) -> float | None:
        """The last power within the dwell: a fade is over then; with none, the first one soon after it."""
        watts = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._dwell_s):
                async for event in news:
                    found = _watts_at(event, device, level)
                    watts = watts if found is None else found
        if watts is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._dwell_s * (GRACE - 1)):
                    async for event in news:
                        watts = _watts_at(event, device, level)
                        if watts is not None:
                            break
        return watts

    async def _set(self, device: str, level: float, key: str, who: str) -> Refusal | None:
        until_ms = self._clock.civil_ms() + round(2 * GRACE * self._dwell_s * 1000 * self._rate)
        return await self._submit(Operation.LIGHT_SET, device, {"level_percent": level, "until": until_ms}, key, who)

    async def _submit(self, op: Operation, device: str, args: Mapping[str, Any], key: str, who: str) -> Refusal | None:
        answer = await self._commands.submit(CommandRequest(op, (device,), args, "active test", key=key), who)
        return answer if isinstance(answer, Refusal) else None


def _watts_at(event: Event, device: str, level: float) -> float | None:
    """The power of a lamp's reading at a level, None when the event holds no such reading."""
    if not isinstance(event, ReadingsStored) or event.readings.kind is not Kind.LAMP or not event.live:
        return None
    readings = event.readings
    if device not in readings.device or not {"power_w", "desired_percent"} <= readings.values.keys():
        return None
    row = list(readings.device).index(device)
    near = abs(float(readings.values["desired_percent"][row]) - level) <= NEAR_PERCENT
    watts = float(readings.values["power_w"][row])
    return watts if near and watts == watts else None  # noqa: PLR0124 - NaN is not itself
