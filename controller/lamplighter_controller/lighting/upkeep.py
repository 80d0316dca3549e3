"""Keeps what gateways were given true: overrides and shows are listed anew when they change; old versions go.

Commands carry an override to its lamps at once. That the plan lists it as well is for the day on which a gateway loses
its memory, so it may come a little later; a show comes with the plan only, so it is told at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from msgspec import structs
from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.light.plans.plan import Plan, decode_plan, encode_plan
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_controller.events import CommandChanged, Events, GatewayChanged, Subscription
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.lighting import records
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.inventory import Inventory
from lamplighter_controller.lighting.live import renewed, tells
from lamplighter_controller.lighting.overrides.desk import OverrideDesk
from lamplighter_controller.lighting.overrides.in_force import standings
from lamplighter_controller.lighting.overrides.standing import Standing
from lamplighter_controller.lighting.records import Version
from lamplighter_controller.lighting.scenes.store import Showing, ahead
from lamplighter_controller.twin.columns import Twin

log = logging.getLogger(__name__)

LOOK_S: Final = 10.0
QUIET_S: Final = 60.0  # a change of overrides settles before it is listed
PRUNE_S: Final = 3600.0
KEPT_VERSIONS: Final = 20
CENTRE: Final = "controller"


@dataclass(frozen=True, slots=True)
class _Now:
    """What stands in the ledger."""

    versions: tuple[Version, ...]
    standing: dict[str, Standing]
    showings: tuple[Showing, ...]


@dataclass(slots=True)
class LightUpkeep:
    """Looks from time to time, and when it is woken. `told` is called when there are new versions to tell."""

    ledger: Ledger
    twin: Twin
    gateways: Gateways
    overrides: OverrideDesk
    events: Events
    clock: Clock
    held: Callable[[], bool]
    told: Callable[[], None]
    quiet_s: float = QUIET_S
    kept_versions: int = KEPT_VERSIONS
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _plans: dict[str, Plan] = field(default_factory=dict)
    _differs_s: dict[str, float] = field(default_factory=dict)
    _moved: bool = True
    _pruned_s: float | None = None

    def wake(self) -> None:
        """A show was started or stopped: look now."""
        self._moved = True
        self._wake.set()

    async def run(self) -> None:
        """Look, for ever."""
        with self.events.subscribe(CommandChanged, GatewayChanged) as news:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(news), name="lighting-news")
                tasks.create_task(self._work(), name="lighting-upkeep")

    async def look(self) -> None:
        """Let time count for what waits, and list what changed.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        await self.overrides.expire()
        if self.held():
            return
        await self._prune()
        if self._moved or self._differs_s:
            self._moved = False
            await self._renew()

    async def _work(self) -> None:
        while True:
            with contextlib.suppress(LedgerUnavailable):  # it says so itself; we look again
                await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()

    async def _listen(self, news: Subscription) -> None:
        async for event in news:
            if not isinstance(event, GatewayChanged) or self._has_lost_its_plan(event.gateway):
                self._moved = True

    async def _renew(self) -> None:
        civil_ms, wall_ms = self.clock.civil_ms(), self.clock.wall_ms()

        def find(connection: Connection) -> _Now:
            return _Now(
                tuple(records.in_force(connection)),
                standings(connection, wall_ms, civil_ms),
                tuple(ahead(connection, civil_ms)),
            )

        now = await self.ledger.read(find)
        await self._learn(now.versions)
        inventory = await self.ledger.read(inventory_store.inventory) if now.showings else Inventory()
        wanted = await asyncio.to_thread(self._wanted, now, inventory, civil_ms)
        due = [plan for plan in wanted if self._is_due(plan, civil_ms)]
        known = {plan.gateway for plan in wanted}
        self._differs_s = {name: since_s for name, since_s in self._differs_s.items() if name in known}
        if due:
            await self._give(due)

    async def _learn(self, versions: Iterable[Version]) -> None:
        new = [one.gateway for one in versions if not self._knows(one)]
        if new:
            documents = await self.ledger.read(lambda connection: records.documents(connection, new))
            self._plans.update(await asyncio.to_thread(_decoded, documents.values()))

    def _knows(self, one: Version) -> bool:
        return one.gateway in self._plans and self._plans[one.gateway].version == one.version

    def _wanted(self, now: _Now, inventory: Inventory, civil_ms: int) -> list[Plan]:
        """The plans that should tell something else than they do."""
        found = []
        for one in now.versions:
            plan, standing = self._plans[one.gateway], now.standing.get(one.gateway, Standing())
            if standing.taken or now.showings or tells(plan, civil_ms):
                lamps = self._lamps(one.gateway)
                new = renewed(plan, one.version, standing, now.showings, inventory, lamps)
                if tells(new, civil_ms) != tells(plan, civil_ms):
                    found.append(new)
        return found

    def _lamps(self, gateway: str) -> Sequence[str]:
        entries = (self.twin.entry(name) for name in sorted(self.twin.served(gateway)))
        return [entry.device for entry in entries if entry is not None and entry.kind is Kind.LAMP]

    def _is_due(self, plan: Plan, civil_ms: int) -> bool:
        """Shows are told at once, so is a gateway that has lost its plan; overrides once they have settled."""
        now_s = self.clock.monotonic_s()
        since_s = self._differs_s.setdefault(plan.gateway, now_s)
        before = self._plans[plan.gateway]
        shows = {one.id for one in plan.scenes} != {one.id for one in before.scenes if (one.ends or 0) > civil_ms}
        return shows or self._has_lost_its_plan(plan.gateway) or now_s - since_s >= self.quiet_s

    def _has_lost_its_plan(self, gateway: str) -> bool:
        state = self.gateways.report(gateway).state
        return state is not None and state.plan_version == 0

    async def _give(self, due: Sequence[Plan]) -> None:
        wall_ms = self.clock.wall_ms()

        def work(connection: Connection) -> list[Plan]:
            newest = {one.gateway: one for one in records.in_force(connection)}
            given, rows = [], []
            for plan in due:
                known = newest.get(plan.gateway)
                if known is None or known.version != plan.version:
                    continue  # somebody published meanwhile; what they published lists it all
                told = structs.replace(plan, version=known.version + 1)
                document = encode_plan(told)
                if len(document) > MAX_DOCUMENT_BYTES:
                    log.error("plan of %s has no room for its overrides and shows; it stays as it is", plan.gateway)
                    continue
                given.append(told)
                rows.append((replace(known, version=told.version, published_ms=wall_ms, published_by=CENTRE), document))
            records.renew(connection, rows)
            return given

        for plan in await self.ledger.write(work):
            self._plans[plan.gateway] = plan
            self._differs_s.pop(plan.gateway, None)
        self.told()

    async def _prune(self) -> None:
        now_s = self.clock.monotonic_s()
        if self._pruned_s is None or now_s - self._pruned_s >= PRUNE_S:
            self._pruned_s = now_s
            gone = await self.ledger.write(lambda connection: records.prune(connection, self.kept_versions))
            if gone:
                log.info("%d versions of plans are forgotten; the newest %d stay", gone, self.kept_versions)


def _decoded(documents: Iterable[bytes]) -> dict[str, Plan]:
    found = {}
    for document in documents:
        plan = decode_plan(document)
        assert not isinstance(plan, Refusal), plan.detail
        found[plan.gateway] = plan
    return found
