"""The engine of commanding: takes requests, sends commands until they are accepted, takes results, watches the clock.

Every change is committed to the ledger, with its row in the audit trail, before anything is sent, answered or
published. A command is "sent" from the moment it is about to be handed to the broker: after a crash nobody could tell.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import ContractError, Reason, Refusal
from lamplighter_contract.ids import uuid7
from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.commands import progress, queries, rules, store, taking
from lamplighter_controller.commands.model import Change, CommandRequest, Order, Overview, Submitted
from lamplighter_controller.commands.outbox import Outbox, Waiting
from lamplighter_controller.commands.ports import Devices, Gateways
from lamplighter_controller.events import CommandChanged, Events, GatewayChanged, Subscription
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.link.port import Link, LinkDown, PublishDenied

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_OPEN: Final = 20_000
PUBLISH_TIMEOUT_S: Final = 5.0
RECHECK_S: Final = 30.0
LOOK_AGAIN_S: Final = 1.0  # for gateways that came back without a word, and a ledger that does not answer


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What commanding stands on."""

    ledger: Ledger
    link: Link
    signer: Signer
    devices: Devices
    gateways: Gateways
    events: Events
    clock: Clock
    random: Random


class Dispatch:
    """All commands of one controller."""

    def __init__(self, surroundings: Surroundings) -> None:
        """Begin with nothing open; `run` loads what is."""
        self._around = surroundings
        self._outbox = Outbox(surroundings.random.random)
        self._wake = asyncio.Event()
        self._doubtful = True  # memory may differ from the ledger: load it before going on
        self._recheck_s = math.inf
        self._resuming = False
        self._moved: set[str] = set()  # commands that changed while the ledger was being read
        self._complaints: set[str] = set()

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Take a request: on return it is stored, and its commands are on their way or wait for their gateways.

        Raises:
            LedgerUnavailable: it is not known to be stored; ask again with the same key.
        """
        refusal = rules.size_refusal(wanted)
        if refusal is not None:
            return refusal
        if wanted.key is not None:
            repeated = await self._around.ledger.read(lambda connection: taking.repeat(connection, wanted, who))
            if repeated is not None:
                return repeated
        prepared = self._prepare(wanted, who)
        if isinstance(prepared, Refusal):
            return prepared
        submitted = await self._write(lambda connection: taking.create(connection, prepared))
        if isinstance(submitted, Submitted) and not submitted.repeated:
            self._follow(Change(order, tuple(order.parts.values())) for order in submitted.orders)
        return submitted

    async def take_results(self, told: Sequence[progress.Told]) -> tuple[progress.Stranger, ...]:
        """Take results of gateways; on return they are committed, and those of unknown commands are handed back.

        Raises:
            LedgerUnavailable: they are not known to be stored; they may be given again.
        """
        wall_ms = self._around.clock.wall_ms()
        taken = await self._write(lambda connection: progress.take(connection, told, wall_ms))
        self._follow(taken.changes)
        return taken.strangers

    async def request(self, request: str) -> Submitted | None:
        """A request with its commands and their parts, None when there is none of that id."""
        return await self._around.ledger.read(lambda connection: queries.one(connection, request))

    async def recent(self, *, device: str | None = None, before: str | None = None, limit: int = 50) -> list[Overview]:
        """The newest requests first, of one device or all, older than the request `before` when given."""
        return await self._around.ledger.read(
            lambda connection: queries.recent(connection, device=device, before=before, limit=limit)
        )

    @property
    def open_count(self) -> int:
        """How many commands are not at their end."""
        return len(self._outbox)

    def wake(self) -> None:
        """Look again at what is due, now."""
        self._wake.set()

    async def link_up(self) -> None:
        """The broker is there again, and may have lost what it held: send everything that was not accepted."""
        for gateway in self._outbox.gateways():
            self._outbox.back(gateway, self._around.clock.monotonic_s())
        self.wake()

    async def run(self) -> None:
        """Send, send again and time out, for ever; resumes what a former run left open."""
        with self._around.events.subscribe(GatewayChanged) as news:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(news), name="commands-presence")
                tasks.create_task(self._work(), name="commands-dispatch")

    def _prepare(self, wanted: CommandRequest, who: str) -> taking.Taking | Refusal:
        around = self._around
        refusal = rules.refusal_of(wanted, around.devices, around.clock.civil_ms())
        if refusal is not None:
            return refusal
        if len(self._outbox) >= MOST_OPEN:
            return Refusal(Reason.OUT_OF_BOUNDS, f"{MOST_OPEN} commands are open already; try again later")
        targets = tuple(self._target(gateway, devices) for gateway, devices in self._split(wanted))
        refusals = [target.refusal for target in targets if target.refusal is not None]
        if len(refusals) == len(targets):
            return refusals[0]
        return taking.Taking(wanted, who, targets, around.clock.wall_ms(), self._new_id)

    def _split(self, wanted: CommandRequest) -> Iterable[tuple[str, tuple[str, ...]]]:
        if wanted.gateways:
            return [(gateway, ()) for gateway in dict.fromkeys(wanted.gateways)]
        return rules.split(wanted.devices, self._around.devices.gateway_of)

    def _target(self, gateway: str, devices: tuple[str, ...]) -> taking.Target:
        gateways = self._around.gateways
        return taking.Target(
            gateway, devices, gateways.refusal(gateway), self._ready(gateway), gateways.highest_seq(gateway)
        )

    def _ready(self, gateway: str) -> bool:
        gateways = self._around.gateways
        return self._around.link.up and gateways.online(gateway) and gateways.refusal(gateway) is None

    def _new_id(self) -> str:
        return uuid7(self._around.clock.wall_ms(), self._around.random.randbytes(10))

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._around.ledger.write(work)
        except LedgerUnavailable:
            self._doubt()
            self.wake()
            raise

    def _doubt(self) -> None:
        """Nobody knows how a write ended; a commit that hangs may even end after the next look."""
        self._doubtful = True
        self._recheck_s = self._around.clock.monotonic_s() + RECHECK_S

    def _follow(self, changes: Iterable[Change]) -> None:
        """Committed: bring memory up to date, tell everyone, and look at what is due."""
        for change in changes:
            if self._resuming:
                self._moved.add(change.order.id)
            self._remember([change.order])
            self._around.events.publish(_event(change))
        self.wake()

    async def _listen(self, news: Subscription) -> None:
        async for event in news:
            if isinstance(event, GatewayChanged):
                if event.online:
                    self._outbox.back(event.gateway, self._around.clock.monotonic_s())
                self.wake()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._resume()
                await self._end_overdue()
                await self._send_due()
            except LedgerUnavailable:  # the ledger says so itself, once
                self._doubt()
                await asyncio.sleep(LOOK_AGAIN_S)
            else:
                await self._rest()

    async def _rest(self) -> None:
        next_s = min(self._recheck_s, self._outbox.next_s() or math.inf)
        pause_s = None if math.isinf(next_s) else max(next_s - self._around.clock.monotonic_s(), 0.001)
        if self._doubtful or self._outbox.parked:
            pause_s = min(LOOK_AGAIN_S, pause_s or LOOK_AGAIN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._wake.wait()

    async def _resume(self) -> None:
        """Make memory what the ledger says: after a start, and after a write of which nobody knows how it ended."""
        second_look = self._around.clock.monotonic_s() >= self._recheck_s
        if not (self._doubtful or second_look):
            return
        self._doubtful = False
        self._recheck_s = math.inf if second_look else self._recheck_s
        in_memory = self._outbox.commands()

        def find(connection: Connection) -> list[Order]:
            return [*store.open_orders(connection), *store.orders(connection, in_memory).values()]

        self._moved.clear()
        self._resuming = True
        try:
            found = await self._around.ledger.read(find)
        finally:
            self._resuming = False
        self._remember(order for order in found if order.id not in self._moved)

    async def _end_overdue(self) -> None:
        wall_ms = self._around.clock.wall_ms()
        overdue = self._outbox.overdue(self._around.clock.monotonic_s())
        if not overdue:
            return
        commands = [order.id for order in overdue]
        ended = await self._write(lambda connection: progress.end(connection, commands, wall_ms))
        self._remember(ended.orders)
        self._follow(ended.changes)

    async def _send_due(self) -> None:
        clock = self._around.clock
        due = self._outbox.due(clock.monotonic_s(), clock.wall_ms(), self._ready)
        for waiting in due:  # whatever goes wrong from here on, each has its next try
            self._outbox.tried(waiting, clock.monotonic_s())
        first = [waiting.order.id for waiting in due if waiting.order.state is CommandState.CREATED]
        if first:
            wall_ms = clock.wall_ms()
            marked = await self._write(lambda connection: progress.send(connection, first, wall_ms))
            self._follow(marked.changes)
        for waiting in due:
            if rules.wants_sending(waiting.order) and not await self._send(waiting):
                return

    async def _send(self, waiting: Waiting) -> bool:
        """Hand one command to the broker; False when there is no broker."""
        order = waiting.order
        kid = self._around.signer.kid
        if waiting.payload is None or waiting.kid != kid:  # the key was exchanged: the old one may be retired soon
            waiting.payload, waiting.kid = await self._signed(order), kid
        payload = waiting.payload
        if payload is None:
            return True
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await self._around.link.publish(down(order.gateway, Down.COMMAND), payload)
        except (LinkDown, TimeoutError) as error:
            self._complain("the broker", f"commands wait for the broker: {str(error) or 'no answer in time'}")
            return False
        except PublishDenied as error:
            self._complain(order.gateway, f"the broker denies commands to {order.gateway}: {error}")
            return True
        self._content("the broker")
        self._content(order.gateway)
        return True

    async def _signed(self, order: Order) -> bytes | None:
        """The command as it is sent; None when that cannot be, which ends it, for no later try could go better."""
        try:
            return self._around.signer.sign(order.command().as_json())
        except ContractError as error:
            why, wall_ms = str(error), self._around.clock.wall_ms()
        log.error("command %s to %s cannot be signed: %s", order.id, order.gateway, why)
        failed = await self._write(lambda connection: progress.fail(connection, order.id, why, wall_ms))
        self._follow(failed.changes)
        return None

    def _remember(self, orders: Iterable[Order]) -> None:
        now_s, wall_ms = self._around.clock.monotonic_s(), self._around.clock.wall_ms()
        for order in orders:
            self._outbox.put(order, now_s, wall_ms)

    def _complain(self, about: str, text: str) -> None:
        if about not in self._complaints:
            log.error("%s", text)
            self._complaints.add(about)

    def _content(self, about: str) -> None:
        if about in self._complaints:
            log.warning("%s takes commands again", about)
            self._complaints.discard(about)


def _event(change: Change) -> CommandChanged:
    order = change.order
    devices = tuple((part.device, part.state, part.reason) for part in change.changed)
    return CommandChanged(order.request.id, order.id, order.gateway, order.state, devices)
