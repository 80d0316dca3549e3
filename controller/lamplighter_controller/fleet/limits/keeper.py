"""Follows limits from the wish to the end: what should be true now is asked again and again."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from lamplighter_contract.commands.states import FINAL, CommandState
from lamplighter_controller.events import CommandChanged, DeviceHappened
from lamplighter_controller.fleet.limits import foreign
from lamplighter_controller.fleet.limits.book import LimitBook
from lamplighter_controller.fleet.limits.ending import Ending
from lamplighter_controller.fleet.limits.ground import Ground
from lamplighter_controller.fleet.limits.limit import AT_THE_TRUCK, Limit, LimitState, What
from lamplighter_controller.fleet.limits.sending import Sending
from lamplighter_controller.fleet.live.city import City

LOOK_MS: Final = 30_000  # real: between two looks at what became of a command
SETTLE_MS: Final = 30_000


class LimitKeeper:
    """All limits that are not over. Raises LedgerUnavailable wherever it waits; the next step goes on from there."""

    def __init__(self, ground: Ground, city: Callable[[], City]) -> None:
        """Begin with none; `book.load` follows. `city` is the fleet as it is now."""
        self.book = LimitBook(ground)
        self._ground, self._city = ground, city
        self._sending, self._ending = Sending(self.book, city), Ending(self.book)
        self._looked: dict[str, int] = {}
        self._lock = asyncio.Lock()

    async def step(self) -> None:
        """Ask of every limit what should be true now."""
        async with self._lock:
            book = self.book
            await book.show(foreign.showing(self._ground, self._city(), book.limits.values(), book.ended))
            for name in list(book.limits):
                limit = book.limits.get(name)
                if limit is not None:
                    await self._step(limit)
            self._ending.forget()
            self._looked = {name: time_ms for name, time_ms in self._looked.items() if name in book.limits}

    async def release(self, limit: Limit, who: str, reason: str) -> None:
        """End a limit: one that waits at once, one at the truck by a command that is repeated until it shows."""
        async with self._lock:
            limit = self.book.limits.get(limit.id, limit)
            if limit.state is LimitState.WAITING:
                await self.book.end(limit, LimitState.RELEASED, "taken back before it was sent", who, reason)
            elif limit.state in AT_THE_TRUCK:
                await self.book.save(replace(limit, state=LimitState.RELEASING, detail=reason), who, reason)
                await self._ending.release(self.book.limits[limit.id], who, reason)

    async def changed(self, event: CommandChanged) -> None:
        """A command went on: one of ours may have."""
        async with self._lock:
            await self._sending.spoken(event)
            why = next((reason for _, _, reason in event.devices if reason), "")
            for limit in list(self.book.limits.values()):
                if event.request in (limit.request, limit.release_request):
                    await self._told(limit, event.request, event.state, why)

    async def happened(self, event: DeviceHappened) -> None:
        """The gateway told of a limit at a truck."""
        async with self._lock:
            what = next((one for one in What if one == event.detail.get("what")), None)
            row = self._city().find(event.device)
            if what is None or row is None:
                return
            for limit in self.book.of_truck(row.truck):
                if limit.what is what and limit.state in AT_THE_TRUCK:
                    await self._happened(limit, event)

    async def _happened(self, limit: Limit, event: DeviceHappened) -> None:
        book = self.book
        match event.event:
            case "truck.limit_in_effect" if limit.state in {LimitState.SENT, LimitState.NOT_IN_EFFECT}:
                await book.effective(limit)
            case "truck.limit_not_in_effect" if limit.state is LimitState.SENT:
                await book.ineffective(limit, "acknowledged, but not in effect")
            case "truck.limit_outlived" if book.due(limit):
                await book.outlived(limit)
            case "truck.limit_released" if book.due(limit):
                await book.end(limit, LimitState.RELEASED, "the truck shows no limit")
            case "truck.limit_held_back" if limit.state is LimitState.SENT:
                await book.save(replace(limit, detail=f"held back at the gateway: {event.detail.get('why')}"))
            case _:
                pass

    async def _step(self, limit: Limit) -> None:
        match limit.state:
            case LimitState.WAITING:
                await self._sending.step(limit)
            case LimitState.FOREIGN:
                if self._ground.sight(limit.device).shows(limit.what) is False:
                    await self.book.end(limit, LimitState.RELEASED, "the truck shows it no more")
            case LimitState.RELEASING | LimitState.OUTLIVED:
                await self._ending.step(limit)
            case _:
                await self._at_the_truck(limit)

    async def _at_the_truck(self, limit: Limit) -> None:
        clock, sight = self._ground.clock, self._ground.sight(limit.device)
        if limit.until_ms is not None and clock.civil_ms() >= limit.until_ms:
            await self.book.save(replace(limit, state=LimitState.RELEASING, detail="its end has come"))
            return
        await self._look_up(limit, limit.request)
        limit = self.book.limits.get(limit.id, limit)
        seen_ms = sight.seen_ms or 0
        if limit.state is LimitState.IN_EFFECT and sight.shows(limit.what) is False:
            if seen_ms > (limit.effective_ms or 0) + SETTLE_MS:
                await self.book.ineffective(limit, "the truck does not show it any more")
        elif limit.state is LimitState.NOT_IN_EFFECT and sight.shows(limit.what):
            await self.book.effective(limit)

    async def _look_up(self, limit: Limit, request: str | None) -> None:
        """What became of a command, in case nobody heard of it."""
        wall_ms = self._ground.clock.wall_ms()
        if request is None or limit.state is not LimitState.SENT or self._looked.get(limit.id, 0) > wall_ms:
            return
        self._looked[limit.id] = wall_ms + LOOK_MS
        found = await self._ground.commands.request(request)
        if found is not None:
            why = next((part.reason for order in found.orders for part in order.parts.values() if part.reason), "")
            await self._told(limit, request, found.state, why)

    async def _told(self, limit: Limit, request: str, state: CommandState, why: str) -> None:
        book, limit = self.book, self.book.limits.get(limit.id, limit)
        if request == limit.release_request:
            if state is CommandState.VERIFIED and book.due(limit):
                await book.end(limit, LimitState.RELEASED, "the truck shows no limit")
            return
        if limit.state not in {LimitState.SENT, LimitState.NOT_IN_EFFECT}:
            return
        if state is CommandState.VERIFIED:
            await book.effective(limit)
        elif state is CommandState.SUPERSEDED:
            await book.end(limit, LimitState.SUPERSEDED, why)
        elif state is CommandState.UNCONFIRMED and limit.state is LimitState.SENT:
            await book.ineffective(limit, why or "nobody knows whether it is in effect")
        elif state in FINAL and limit.state is LimitState.SENT:
            await book.end(limit, LimitState.FAILED, why or str(state))
