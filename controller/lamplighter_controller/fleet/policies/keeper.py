"""Policies at work: each violation that one concerns is followed step by step, over a restart too."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Refusal
from lamplighter_controller.commands.model import CommandRequest
from lamplighter_controller.fleet.limits.book import KILL
from lamplighter_controller.fleet.limits.desk import LimitDesk, NotNow, Unusable
from lamplighter_controller.fleet.limits.limit import OPEN, LimitState
from lamplighter_controller.fleet.limits.sending import OPERATIONS
from lamplighter_controller.fleet.limits.wish import Wish
from lamplighter_controller.fleet.policies import records
from lamplighter_controller.fleet.policies.policy import SHELF, Course, Policy, Release, Stage, first_for
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.violations.desk import ViolationDesk
from lamplighter_controller.fleet.violations.violation import Violation

log = logging.getLogger(__name__)

SPEAK_EXPIRES_S: Final = 60.0


def switch_of(policy: str) -> str:
    """The name of a policy's switch."""
    return f"policy:{policy}"[:64]


@dataclass(slots=True)
class PolicyKeeper:
    """Follows policies that are switched on. Raises LedgerUnavailable wherever it waits."""

    desk: LimitDesk
    violations: ViolationDesk
    policies: dict[str, Policy] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    _courses: dict[str, Course] = field(default_factory=dict)

    async def load(self) -> None:
        """Take up policies and courses as the ledger has them."""
        ledger = self.desk.ground.ledger
        self.policies = await ledger.read(lambda connection: register.every(connection, SHELF, Policy))
        self.versions = await ledger.read(lambda connection: register.versions(connection, SHELF))
        self._courses = {one.id: one for one in await ledger.read(records.open_courses)}

    def in_force(self) -> Sequence[Policy]:
        """Those that are switched on."""
        return [one for one in self.policies.values() if self.desk.keeper.book.thrown(switch_of(one.id))]

    async def consider(self, violation: Violation) -> None:
        """A violation of now began: the driver is told, if a policy says so."""
        policy = first_for(self.in_force(), violation)
        if policy is None or self.desk.keeper.book.thrown(KILL) or self._busy(violation.truck):
            return
        ground, row = self.desk.ground, self.desk.city().find(violation.truck)
        if row is None or row.view_only or not self.desk.able(row.device, OPERATIONS[policy.what]):
            return
        now_ms = ground.clock.civil_ms()
        version = self.versions.get(policy.id, 1)
        course = Course(
            ground.new_id(), policy.id, version, violation.truck, violation.id, Stage.WARNED, now_ms, now_ms
        )
        await ground.ledger.write(lambda connection: records.add_course(connection, course))
        self._courses[course.id] = course
        wanted = CommandRequest(
            Operation.TRUCK_SPEAK,
            (row.device,),
            {"text": policy.text},
            f"violation {violation.id}: {violation.kind}",
            expires_s=SPEAK_EXPIRES_S,
        )
        taken = await ground.commands.submit(wanted, _who(policy))
        if isinstance(taken, Refusal):
            log.info("%s: the driver was not told: %s", violation.truck, taken.detail)
        await self.violations.acted(violation)

    async def step(self) -> None:
        """Go on with every course as far as it can."""
        for course in list(self._courses.values()):
            policy = self.policies.get(course.policy)
            off = policy is None or not self.desk.keeper.book.thrown(switch_of(course.policy))
            if course.stage is Stage.WARNED:
                await (self._over(course) if off or policy is None else self._warned(course, policy))
            else:
                await self._limited(course, policy)

    async def _warned(self, course: Course, policy: Policy) -> None:
        now_ms = self.desk.ground.clock.civil_ms()
        goes_on = any(one.id == course.violation for one in self.violations.book.going_on(course.truck))
        if not goes_on and not policy.insist:
            await self._over(course)
            return
        if now_ms - course.began_ms < policy.patience_s * 1000 or self.desk.keeper.book.thrown(KILL):
            return
        wish = Wish(
            (course.truck,),
            policy.what,
            f"policy {policy.id}: violation {course.violation}",
            policy.for_s,
            policy.limit_kmh or 0.0,
            violation=course.violation,
            policy=policy.id,
            key=f"course-{course.id}",
        )
        try:
            ask = await self.desk.ask(wish, _who(policy))
        except (NotNow, Unusable) as error:
            log.info("%s: no limit by policy %s: %s", course.truck, policy.id, error)
            await self._over(course)
            return
        await self._save(replace(course, stage=Stage.LIMITED, ask=ask.id))

    async def _limited(self, course: Course, policy: Policy | None) -> None:
        mine = [one for one in self.desk.keeper.book.of_truck(course.truck) if one.ask == course.ask]
        if not any(one.state in OPEN for one in mine):
            await self._over(course)
            return
        goes_on = any(one.id == course.violation for one in self.violations.book.going_on(course.truck))
        if policy is not None and (policy.release is Release.TIME or goes_on or policy.insist):
            return
        for limit in mine:
            if limit.state not in {LimitState.RELEASING, LimitState.OUTLIVED}:
                await self.desk.release(limit.id, f"policy:{course.policy}", "the violation is over")

    def _busy(self, truck: str) -> bool:
        return any(one.truck == truck for one in self._courses.values())

    async def _over(self, course: Course) -> None:
        await self._save(replace(course, stage=Stage.OVER))

    async def _save(self, course: Course) -> None:
        changed = replace(course, changed_ms=self.desk.ground.clock.civil_ms())
        await self.desk.ground.ledger.write(lambda connection: records.save_course(connection, changed))
        if changed.stage is Stage.OVER:
            self._courses.pop(changed.id, None)
        else:
            self._courses[changed.id] = changed


def _who(policy: Policy) -> str:
    return f"policy:{policy.id}"
