"""Where a person's work on plans comes together: check, approve, publish, step back. Each step in one transaction."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.light.plans.plan import Plan, broken, decode_plan, encode_plan
from lamplighter_contract.light.plans.problems import Problem, Severity
from lamplighter_contract.light.plans.validation import acceptable
from lamplighter_contract.light.sky.nights import date_of_night
from lamplighter_contract.quantities import Kind
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import gate, records, store
from lamplighter_controller.lighting.checks import Checks
from lamplighter_controller.lighting.compiling import Site, astray, compiled, dangling, middle
from lamplighter_controller.lighting.effect import Effect, effect
from lamplighter_controller.lighting.gate import Case, PlanState
from lamplighter_controller.lighting.inventory import Inventory
from lamplighter_controller.lighting.live import all_renewed
from lamplighter_controller.lighting.records import StoredPlan
from lamplighter_controller.lighting.versions import next_version
from lamplighter_controller.security import audit
from lamplighter_controller.twin.columns import Twin

HELD: Final = "the controller is held after a restore; release it first"


class NotTaken(ControllerError):
    """A step that cannot be taken now; `reasons` say all of why. Nothing has changed."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


@dataclass(frozen=True, slots=True)
class Who:
    """A person by their token, and why they do it."""

    name: str
    reason: str


def _nothing() -> None:
    """No keeper listens."""


@dataclass(frozen=True, slots=True)
class PlanDesk:
    """Work on plans; `wake` has the keeper look at once. Raises LedgerUnavailable wherever it waits."""

    ledger: Ledger
    twin: Twin
    gateways: Gateways
    clock: Clock
    zone: str
    held: Callable[[], bool]
    wake: Callable[[], None] = field(default=_nothing)
    checks: Checks = field(default_factory=Checks)

    @property
    def tonight(self) -> date:
        """The date of the night around now."""
        return date_of_night(self.clock.civil_ms(), ZoneInfo(self.zone))

    def sites(self, inventory: Inventory, names: Sequence[str] | None = None) -> list[Site]:
        """Enrolled gateways that serve lamps, as the inventory and they themselves place them."""
        luminaires = inventory.by_device
        found = []
        for gateway in sorted(self.gateways.enrolled if names is None else names):
            entries = [entry for name in sorted(self.twin.served(gateway)) if (entry := self.twin.entry(name))]
            lamps = [entry for entry in entries if entry.kind is Kind.LAMP]
            positions = [
                (one.latitude, one.longitude)
                for one in (luminaires.get(entry.device, entry) for entry in lamps)
                if one.latitude is not None and one.longitude is not None
            ]
            contactors = frozenset(entry.device for entry in entries if entry.kind is Kind.CIRCUIT)
            if lamps:
                found.append(Site(gateway, tuple(entry.device for entry in lamps), contactors, *middle(positions)))
        return found

    async def plan(self, number: int) -> StoredPlan | None:
        """One plan, None when there is none of that number."""
        return await self.ledger.read(lambda connection: records.plan(connection, number))

    async def draft(self, who: Who) -> StoredPlan:
        """A new plan from the library as it stands."""

        def work(connection: Connection) -> StoredPlan:
            made = records.draft(connection, who=who.name, reason=who.reason, time_ms=self.clock.wall_ms())
            self._audit(connection, who, "plan.draft", made.number, "done")
            return made

        return await self.ledger.write(work)

    async def validate(self, plan: StoredPlan, who: Who) -> StoredPlan:
        """Check a plan for every gateway over a year; it may go on when nothing is an error.

        Raises:
            NotTaken: it is published already.
        """
        if plan.state is PlanState.PUBLISHED:
            raise NotTaken(["it is published; make a new draft"])
        inventory = await self.ledger.read(store.inventory)
        _, problems = await asyncio.to_thread(self._made, plan, inventory, self.sites(inventory), self.tonight)
        good = acceptable(problems)

        def work(connection: Connection) -> StoredPlan:
            state = PlanState.VALIDATED if good else PlanState.DRAFT
            records.set_checked(connection, plan.number, state, problems)
            self._audit(connection, who, "plan.validate", plan.number, "valid" if good else "invalid")
            found = records.plan(connection, plan.number)
            assert found is not None
            return found

        return await self.ledger.write(work)

    async def approve(self, plan: StoredPlan, who: Who) -> StoredPlan:
        """Note that somebody else than its author stands for a plan.

        Raises:
            NotTaken: by its author, or not validated.
        """
        if plan.state is not PlanState.VALIDATED:
            raise NotTaken([f"it is {plan.state}; only a validated plan is approved"])
        if plan.author == who.name:
            raise NotTaken(["its author cannot approve it"])

        def work(connection: Connection) -> StoredPlan:
            names = tuple(dict.fromkeys((*plan.approvals, who.name)))
            records.set_approvals(connection, plan.number, names)
            self._audit(connection, who, "plan.approve", plan.number, "done")
            found = records.plan(connection, plan.number)
            assert found is not None
            return found

        return await self.ledger.write(work)

    async def effect(self, plan: StoredPlan, names: Sequence[str] | None = None) -> Effect:
        """What a plan changes tonight against what is in force, at some gateways or all."""
        inventory = await self.ledger.read(store.inventory)
        documents = await self.ledger.read(records.documents)
        sites = self.sites(inventory, names)
        return await asyncio.to_thread(self._effect, plan, inventory, sites, documents)

    async def publish(self, plan: StoredPlan, who: Who, names: Sequence[str] | None = None) -> dict[str, int]:
        """Give gateways (None: all that serve lamps) a plan as their next version; returns gateway -> version.

        Raises:
            NotTaken: held, before the gate, a gateway is not known, or what is served has changed since its check.
        """
        if self.held():
            raise NotTaken([HELD])
        tried = await self._tried(plan, names)
        missing = gate.missing(Case(plan.state, plan.author, plan.approvals, await self.effect(plan, names), tried))
        if missing:
            raise NotTaken(missing)
        return await self._give(plan, who, names, "plan.publish")

    async def _tried(self, plan: StoredPlan, names: Sequence[str] | None) -> bool:
        """Whether a plan goes to a part of those that have one, or one of them runs it already."""
        given = await self.ledger.read(records.in_force)
        part = names is not None and any(one.gateway not in names for one in given)
        runs = any(one.plan == plan.number and self.told(one.gateway) >= one.version for one in given)
        return part or runs or len(given) < 2

    async def back(self, who: Who) -> dict[str, int]:
        """One step back: every gateway gets the plan it had before, as a new version; returns gateway -> version.

        Raises:
            NotTaken: held, or no gateway had another plan before.
        """
        if self.held():
            raise NotTaken([HELD])
        former = await self.ledger.read(_former)
        if not former:
            raise NotTaken(["no gateway had another plan before this one"])
        given: dict[str, int] = {}
        for number, names in former.items():
            plan = await self.plan(number)
            assert plan is not None
            given |= await self._give(plan, who, names, "plan.back")
        return given

    async def in_force(self, gateway: str) -> Plan | None:
        """The plan a gateway was given last, None when it was never given one."""
        found = await self.ledger.read(lambda connection: records.documents(connection, [gateway]))
        return _decoded(found[gateway]) if gateway in found else None

    async def would_be(self, plan: StoredPlan, gateway: str) -> Plan | Problem:
        """A plan as a gateway would get it."""
        inventory = await self.ledger.read(store.inventory)
        sites = self.sites(inventory, [gateway])
        if not sites:
            return Problem(Severity.ERROR, f"gateway {gateway}", "serves no lamps")
        made = compiled(plan.library, inventory, sites[0], self.zone, 0)
        wrong = next(broken(made), None) if isinstance(made, Plan) else None
        return made if wrong is None else Problem(Severity.ERROR, f"plan {plan.number}", wrong)

    async def _give(self, plan: StoredPlan, who: Who, names: Sequence[str] | None, action: str) -> dict[str, int]:
        unknown = set(names or ()) - self.gateways.enrolled
        if unknown:
            raise NotTaken(f"{name} is not enrolled" for name in sorted(unknown))
        inventory = await self.ledger.read(store.inventory)
        sites = self.sites(inventory, names)
        plans, problems = await asyncio.to_thread(self._made, plan, inventory, sites, self.tonight)
        wrong = [str(one) for one in problems if one.severity is Severity.ERROR]
        if wrong:
            raise NotTaken(wrong)

        lamps = {site.gateway: site.lamps for site in sites}
        now = self.clock.wall_ms(), self.clock.civil_ms()

        def work(connection: Connection) -> dict[str, int]:
            versions = self._versions(connection, sites)
            full = all_renewed(connection, plans, versions, (inventory, lamps), now)
            documents = {one.gateway: (one.version, encode_plan(one)) for one in full}
            records.published(connection, plan.number, documents, who.name, self.clock.wall_ms())
            self._audit(connection, who, action, plan.number, "done", versions)
            return versions

        given = await self.ledger.write(work)
        self.wake()
        return given

    def _versions(self, connection: Connection, sites: Iterable[Site]) -> dict[str, int]:
        stored = {one.gateway: one.version for one in records.in_force(connection)}
        floor = records.floor(connection)
        return {
            site.gateway: next_version(stored.get(site.gateway, 0), self.told(site.gateway), floor) for site in sites
        }

    def told(self, gateway: str) -> int:
        """The plan version a gateway named in its last birth, 0 when it never did."""
        state = self.gateways.report(gateway).state
        return state.plan_version if state else 0

    def _made(
        self, plan: StoredPlan, inventory: Inventory, sites: Sequence[Site], day: date
    ) -> tuple[list[Plan], tuple[Problem, ...]]:
        """The plans of some gateways, and all that is wrong with them."""
        made = [compiled(plan.library, inventory, site, self.zone, 0) for site in sites]
        plans = [one for one in made if isinstance(one, Plan)]
        unmade = [one for one in made if isinstance(one, Problem)]
        if not sites:
            unmade.append(Problem(Severity.ERROR, "gateways", "none serves a lamp"))
        devices = frozenset(entry.device for entry in self.twin.entries())
        loose = dangling(plan.library, inventory, devices)
        strange = astray(plan.library, plans, day.year)
        return plans, (*unmade, *loose, *strange, *self.checks.problems_of(plans, day))

    def _effect(
        self, plan: StoredPlan, inventory: Inventory, sites: Sequence[Site], documents: Mapping[str, bytes]
    ) -> Effect:
        made = [compiled(plan.library, inventory, site, self.zone, 0) for site in sites]
        after = [one for one in made if isinstance(one, Plan) and next(broken(one), None) is None]
        return effect(map(_decoded, documents.values()), after, inventory, self.tonight)

    def _audit(
        self,
        connection: Connection,
        who: Who,
        action: str,
        number: int,
        result: str,
        versions: Mapping[str, int] | None = None,
    ) -> None:
        audit.record(
            connection,
            who=who.name,
            action=action,
            subject=f"plan:{number}",
            reason=who.reason,
            result=result,
            detail={"versions": dict(versions)} if versions else None,
            time_ms=self.clock.wall_ms(),
        )


def _former(connection: Connection) -> dict[int, list[str]]:
    """Number of the plan before -> the gateways that had it."""
    found: dict[int, list[str]] = {}
    for given in records.in_force(connection):
        number = records.before(connection, given)
        if number is not None:
            found.setdefault(number, []).append(given.gateway)
    return found


def _decoded(document: bytes) -> Plan:
    plan = decode_plan(document)
    assert not isinstance(plan, Refusal), plan.detail
    return plan
