"""Stand-ins in memory for what an API asks: a series, what sends commands, letters, actions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import check_args
from lamplighter_contract.commands.states import CommandState, summary
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_controller.commands.model import CommandRequest, Order, Overview, Part, Request, Submitted
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.events import CommandChanged, Events
from lamplighter_controller.intake import letters
from lamplighter_controller.intake.gateways import Unheard
from lamplighter_controller.intake.replay import Outcome
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.series.port import Aggregate, Readings, SeriesUnavailable, Windows
from lamplighter_controller.twin.columns import Twin


@dataclass
class MemorySeries:
    """One reading a minute; every value is its minute's number."""

    available: bool = True
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    async def write(self, batches: Sequence[Readings]) -> None:
        raise AssertionError("the API writes no readings")

    async def range(
        self, kind: Kind, devices: Sequence[str], quantities: Sequence[str], start_ms: int, end_ms: int, limit: int
    ) -> Readings:
        self._ask("range", start_ms, end_ms, limit)
        time_ms = np.arange(start_ms, end_ms, 60_000, dtype=np.int64)[:limit]
        values = {name: np.arange(len(time_ms), dtype=np.float64) for name in quantities if name != "power_w"}
        return Readings(kind, [devices[0]] * len(time_ms), time_ms, values, np.zeros(len(time_ms), np.uint8))

    async def windows(
        self,
        kind: Kind,
        devices: Sequence[str],
        quantity: str,
        start_ms: int,
        end_ms: int,
        window_ms: int,
        aggregate: Aggregate,
    ) -> Windows:
        self._ask("windows", quantity, window_ms, aggregate)
        step = window_ms if quantity == "level_percent" else 2 * window_ms  # gaps in one of them
        start = np.arange(start_ms, end_ms, step, dtype=np.int64)
        return Windows([devices[0]] * len(start), start, np.full(len(start), 7.0))

    async def last(self, kind: Kind, since_ms: int) -> Readings:
        raise AssertionError("the API restores nothing")

    async def maintain(self, now_ms: int) -> None:
        raise AssertionError("the API keeps no house")

    async def close(self) -> None:
        return

    def _ask(self, *what: Any) -> None:
        self.asked.append(what)
        if not self.available:
            raise SeriesUnavailable("the series store does not answer")


class MemoryCommands:
    """Takes what the contract allows for devices of the twin, and moves when the test says so."""

    def __init__(self, twin: Twin, events: Events, clock: Clock) -> None:
        self.twin, self.events, self.clock = twin, events, clock
        self.taken: dict[str, Submitted] = {}

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        for known in self.taken.values():
            if wanted.key is not None and (known.request.key, known.request.who) == (wanted.key, who):
                same = dict(known.request.args) == dict(wanted.args)
                return (
                    replace(known, repeated=True) if same else Refusal(Reason.REPLAYED, "another request has this key")
                )
        refusal = check_args(wanted.op, wanted.args)
        strange = next((device for device in wanted.devices if self.twin.entry(device) is None), None)
        if refusal or strange:
            return refusal or Refusal(Reason.UNKNOWN_DEVICE, f"no gateway serves {strange}")
        return self._take(wanted, who)

    async def request(self, request: str) -> Submitted | None:
        return self.taken.get(request)

    async def recent(self, *, device: str | None = None, before: str | None = None, limit: int = 50) -> list[Overview]:
        found = [
            known
            for name, known in sorted(self.taken.items(), reverse=True)
            if (before is None or name < before)
            and (device is None or any(device in order.parts for order in known.orders))
        ]
        return [
            Overview(
                known.request,
                known.state,
                Counter(part.state for order in known.orders for part in order.parts.values()),
                devices[0] if len(devices := [name for order in known.orders for name in order.parts]) == 1 else None,
            )
            for known in found[:limit]
        ]

    def move(
        self,
        request: str,
        state: CommandState,
        reason: str = "",
        *,
        but: Mapping[str, tuple[CommandState, str]] | None = None,
    ) -> None:
        """Everything to `state`, but these devices to states of their own."""
        known = self.taken[request]
        other = but or {}
        orders = tuple(
            replace(
                order,
                state=state,
                parts={name: _moved(part, *other.get(name, (state, reason))) for name, part in order.parts.items()},
            )
            for order in known.orders
        )
        self.taken[request] = replace(known, state=summary(_states(orders)), orders=orders)
        for order in orders:
            changed = tuple((part.device, part.state, part.reason) for part in order.parts.values())
            self.events.publish(CommandChanged(request, order.id, order.gateway, state, changed))

    def _take(self, wanted: CommandRequest, who: str) -> Submitted:
        number = f"r-{len(self.taken):04}"
        now_ms = self.clock.wall_ms()
        request = Request(
            number,
            wanted.op,
            wanted.args,
            wanted.reason,
            wanted.approvals,
            who,
            wanted.key,
            "",
            now_ms,
            now_ms + round(wanted.expires_s * 1000),
        )
        by_gateway: dict[str, list[str]] = {}
        for device in wanted.devices:
            by_gateway.setdefault(self.twin.gateway_of(device) or "", []).append(device)
        orders = tuple(
            Order(
                f"{number}-{gateway}",
                request,
                gateway,
                len(self.taken) + 1,
                CommandState.CREATED,
                parts={device: Part(device, CommandState.CREATED) for device in devices},
            )
            for gateway, devices in by_gateway.items()
        )
        self.taken[number] = Submitted(request, CommandState.CREATED, orders)
        return self.taken[number]


def _moved(part: Part, state: CommandState, reason: str) -> Part:
    return replace(part, state=state, reason=reason)


def _states(orders: Sequence[Order]) -> frozenset[CommandState]:
    return frozenset(part.state for order in orders for part in order.parts.values())


@dataclass
class MemoryLetters:
    ledger: Ledger

    async def replay(self, ids: Sequence[int]) -> Sequence[Outcome]:
        kept = await self.ledger.read(lambda connection: letters.by_id(connection, ids))
        await self.ledger.write(lambda connection: letters.remove(connection, [item.id for item in kept]))
        there = {item.id for item in kept}
        return [Outcome(number, stored=number in there) for number in ids]


@dataclass
class MemoryActions:
    is_held: bool = False
    changes: int = 0
    backup_fails: bool = False
    unheard: tuple[str, ...] = ()

    async def enrolment_changed(self) -> None:
        self.changes += 1

    def held(self) -> bool:
        return self.is_held

    async def release(self, *, who: str, reason: str, anyway: bool) -> bool | Unheard:
        if self.unheard and not anyway:
            return Unheard(self.unheard)
        was, self.is_held = self.is_held, False
        return was

    async def backup(self, *, who: str) -> str:
        if self.backup_fails:
            raise ControllerError("no space left on device")
        return "2025-11-20T1300"
