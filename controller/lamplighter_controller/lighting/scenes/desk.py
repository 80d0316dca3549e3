"""Where shows are rehearsed, started and stopped. What a wire cannot carry is refused, with bus and lamp."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random, SystemRandom
from typing import Final

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.ids import uuid7
from lamplighter_contract.light.carrying import Bus, buses_of
from lamplighter_contract.light.plans.plan import Plan, decode_plan
from lamplighter_contract.light.plans.problems import Problem, Severity
from lamplighter_contract.light.preview import Change, preview
from lamplighter_contract.light.view import View
from lamplighter_contract.quantities import Kind
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import records
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.inventory import Inventory
from lamplighter_controller.lighting.live import renewed
from lamplighter_controller.lighting.overrides.judge import DarkJudge
from lamplighter_controller.lighting.overrides.standing import Standing
from lamplighter_controller.lighting.scenes import store
from lamplighter_controller.lighting.scenes.scene import Scene, lowest, too_fast, wrong_with
from lamplighter_controller.lighting.scenes.store import Showing
from lamplighter_controller.lighting.whom import reached
from lamplighter_controller.security import audit
from lamplighter_controller.twin.columns import Twin

SHELF: Final = "scenes"
AHEAD_MS: Final = 7 * 86_400_000  # civil: how long before its start a show is taken
LAMPS_SHOWN: Final = 20


class Unplayable(ControllerError):
    """A show that cannot be played; `problems` are everything that keeps it from it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems[:3])))


class NotApproved(ControllerError):
    """A show that cannot be approved; the message says why. Nothing has changed."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a show would do: how many lamps each cue reaches, some lamps' nights, and what is wrong with it.

    `grave`: why it would need a second person.
    """

    scene: Scene
    starts_ms: int
    reached: tuple[int, ...]
    gateways: tuple[str, ...]
    problems: tuple[Problem, ...]
    nights: dict[str, tuple[Change, ...]]
    grave: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SceneDesk:
    """Work on shows; `changed` has the plans tell of them at once. Raises LedgerUnavailable wherever it waits."""

    ledger: Ledger
    twin: Twin
    gateways: Gateways
    clock: Clock
    rate: float
    changed: Callable[[], None]
    random: Random = field(default_factory=SystemRandom)
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)  # shares are judged and given in one step

    async def scene(self, name: str) -> Scene | None:
        """A scene of the library."""
        found = await self.ledger.read(lambda connection: records.shelved(connection, SHELF))
        return next((one.item for one in found if one.item.id == name and isinstance(one.item, Scene)), None)

    async def start(self, scene: Scene, starts_ms: int | None, who: str, reason: str) -> Showing:
        """Have a scene played from a start on (civil epoch ms; None: now) for its length.

        One that makes too much of the city dark waits for a second person.

        Raises:
            Unplayable: with every problem.
        """
        now_ms, wall_ms = self.clock.civil_ms(), self.clock.wall_ms()
        begins_ms = now_ms if starts_ms is None else starts_ms
        inventory = await self.ledger.read(inventory_store.inventory)
        problems = [*await self._problems(scene, inventory), *_untimely(scene, begins_ms, now_ms)]
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise Unplayable(problems)
        async with self._one_by_one:
            ends_ms = begins_ms + round(scene.length_s * 1000)
            grave = await self._grave(scene, (begins_ms, ends_ms), inventory)
            showing = Showing(
                uuid7(wall_ms, self.random.randbytes(10)),
                scene,
                begins_ms,
                ends_ms,
                who,
                reason,
                wall_ms,
                grave=grave,
                at_once=starts_ms is None,
            )

            def work(connection: Connection) -> None:
                store.add(connection, showing)
                self._audit(connection, showing, who, "scene.start", reason)

            await self.ledger.write(work)
        self.changed()
        return showing

    async def approve(self, showing: Showing, who: str, reason: str) -> Showing:
        """Stand for a show as a second person; one that was wanted at once begins now.

        Raises:
            NotApproved: by who asked, or it does not wait (any more).
        """
        now_ms, wall_ms = self.clock.civil_ms(), self.clock.wall_ms()
        if showing.who == who:
            raise NotApproved("who asked for it cannot approve it")
        if not showing.waits or showing.stopped_ms is not None:
            raise NotApproved("it does not wait for a second person")
        if showing.is_late(now_ms, wall_ms):
            raise NotApproved("nobody approved it in time; ask for it again")
        starts_ms = now_ms if showing.at_once else showing.starts_ms
        length_ms = showing.ends_ms - showing.starts_ms
        given = replace(showing, approvals=(who,), starts_ms=starts_ms, ends_ms=starts_ms + length_ms)

        def work(connection: Connection) -> None:
            store.approve(connection, given)
            self._audit(connection, given, who, "scene.approve", reason)

        await self.ledger.write(work)
        self.changed()
        return given

    async def stop(self, showing: Showing, who: str, reason: str) -> None:
        """End a show before its time; its lamps go back to their plan."""

        def work(connection: Connection) -> None:
            store.stop(connection, showing.id, self.clock.civil_ms())
            self._audit(connection, showing, who, "scene.stop", reason)

        await self.ledger.write(work)
        self.changed()

    async def rehearse(self, scene: Scene, starts_ms: int | None, lamps: Sequence[str]) -> Rehearsal:
        """Play a scene on paper: nothing is stored and no lamp moves."""
        inventory = await self.ledger.read(inventory_store.inventory)
        begins_ms = self.clock.civil_ms() if starts_ms is None else starts_ms
        served = self._lamps()
        casts = [reached(cue, inventory, served) for cue in scene.cues]
        shown = list(lamps or dict.fromkeys(cast[0] for cast in casts if cast))[:LAMPS_SHOWN]
        showing = Showing("rehearsal", scene, begins_ms, begins_ms + round(scene.length_s * 1000), "", "", 0)
        documents = await self.ledger.read(records.documents)
        nights = await asyncio.to_thread(self._nights, shown, showing, inventory, documents)
        problems = await self._problems(scene, inventory)
        involved = {self.twin.gateway_of(lamp) or "" for cast in casts for lamp in cast}
        counts = tuple(map(len, casts))
        grave = await self._grave(scene, (showing.starts_ms, showing.ends_ms), inventory)
        return Rehearsal(scene, begins_ms, counts, tuple(sorted(involved)), tuple(problems), nights, grave)

    async def _grave(self, scene: Scene, span: tuple[int, int], inventory: Inventory) -> tuple[str, ...]:
        """Why it needs a second person: it is judged by the lowest level it has for each lamp."""
        judge = DarkJudge(self.ledger, self.twin, self.clock)
        return await judge.grave(lowest(scene, inventory, self._lamps()), span, inventory)

    async def _problems(self, scene: Scene, inventory: Inventory) -> list[Problem]:
        devices = self._lamps()
        wrong = list(wrong_with(scene, inventory, frozenset(devices)))
        planned = {one.gateway for one in await self.ledger.read(records.in_force)}
        wrong += self._without_plan(scene, inventory, planned)
        buses = [bus for gateway in sorted(self.gateways.enrolled) for bus in self._buses(gateway)]
        return [*wrong, *await asyncio.to_thread(lambda: list(too_fast(scene, inventory, devices, buses, self.rate)))]

    def _without_plan(self, scene: Scene, inventory: Inventory, planned: set[str]) -> list[Problem]:
        """A show goes to gateways with their plan: one that was never given a plan cannot play it."""
        served = self._lamps()
        lamps = {lamp for cue in scene.cues for lamp in reached(cue, inventory, served)}
        without = {self.twin.gateway_of(lamp) or "" for lamp in lamps} - planned
        return [
            Problem(Severity.ERROR, f"gateway {name}", "was never given a plan, and a show comes with one")
            for name in sorted(without)
        ]

    def _lamps(self) -> list[str]:
        return sorted(entry.device for entry in self.twin.entries() if entry.kind is Kind.LAMP)

    def _buses(self, gateway: str) -> tuple[Bus, ...]:
        entries = [entry for name in sorted(self.twin.served(gateway)) if (entry := self.twin.entry(name))]
        return buses_of(gateway, entries, self.gateways.buses(gateway))

    def _nights(
        self, lamps: Iterable[str], showing: Showing, inventory: Inventory, documents: dict[str, bytes]
    ) -> dict[str, tuple[Change, ...]]:
        found, views = {}, {}
        for lamp in lamps:
            gateway = self.twin.gateway_of(lamp) or ""
            if gateway in documents:
                if gateway not in views:
                    plan = _decoded(documents[gateway])
                    with_it = renewed(plan, plan.version, Standing(), [showing], inventory, self._lamps())
                    views[gateway] = View(with_it)
                view = views[gateway]
                found[lamp] = preview(view, lamp, view.date_at(showing.starts_ms), {})
        return found

    def _audit(self, connection: Connection, showing: Showing, who: str, action: str, reason: str) -> None:
        audit.record(
            connection,
            who=who,
            action=action,
            subject=f"scene:{showing.scene.id}",
            reason=reason,
            result="waits" if showing.waits else "done",
            detail={
                "showing": showing.id,
                "starts": showing.starts_ms,
                "ends": showing.ends_ms,
                "grave": list(showing.grave),
                "approvals": list(showing.approvals),
            },
            time_ms=self.clock.wall_ms(),
        )


def _untimely(scene: Scene, begins_ms: int, now_ms: int) -> list[Problem]:
    where, latest_ms = f"scene {scene.id}", now_ms + AHEAD_MS
    if begins_ms + scene.length_s * 1000 <= now_ms:
        return [Problem(Severity.ERROR, where, f"starts at {begins_ms} and has ended by now, which is {now_ms}")]
    if begins_ms > latest_ms:
        what = f"starts at {begins_ms}, expected at most {latest_ms}: a show is taken a week ahead"
        return [Problem(Severity.ERROR, where, what)]
    return []


def _decoded(document: bytes) -> Plan:
    plan = decode_plan(document)
    assert not isinstance(plan, Refusal), plan.detail
    return plan
