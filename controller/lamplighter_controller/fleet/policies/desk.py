"""Where people write policies, try them over the past, and switch them on and off."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from lamplighter_controller.fleet.limits import records as limit_records
from lamplighter_controller.fleet.limits import trail
from lamplighter_controller.fleet.limits.desk import LimitDesk, NotNow
from lamplighter_controller.fleet.limits.limit import What
from lamplighter_controller.fleet.limits.records import Switch
from lamplighter_controller.fleet.policies import records
from lamplighter_controller.fleet.policies.keeper import PolicyKeeper, switch_of
from lamplighter_controller.fleet.policies.policy import SHELF, Policy, tried
from lamplighter_controller.fleet.policies.records import Tried
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.violations import records as violation_records
from lamplighter_controller.fleet.violations.records import Wanted

MOST_TRIED: Final = 200_000


@dataclass(frozen=True, slots=True)
class PolicyDesk:
    """Work on policies. Raises LedgerUnavailable wherever it waits."""

    limits: LimitDesk
    keeper: PolicyKeeper

    async def put(self, policy: Policy, who: str, reason: str) -> int:
        """Write a policy; it is switched off by that. Returns its version."""
        ground = self.limits.ground
        wall_ms = ground.clock.wall_ms()
        off = Switch(switch_of(policy.id), False, who, reason, wall_ms)

        def work(connection: Connection) -> None:
            register.put(connection, SHELF, [policy], who=who, time_ms=wall_ms)
            limit_records.throw(connection, off)
            trail.act(connection, "policy.put", f"policy:{policy.id}", who, reason, wall_ms, {})

        await ground.ledger.write(work)
        self.limits.keeper.book.throw(off)
        await self.keeper.load()
        return self.keeper.versions[policy.id]

    async def try_out(self, name: str, days: int) -> Tried:
        """What it would have done with the violations of the last days.

        Raises:
            NotNow: there is no such policy.
        """
        policy = self.keeper.policies.get(name)
        if policy is None:
            raise NotNow(f"there is no policy {name!r}")
        ground = self.limits.ground
        end_ms = ground.clock.civil_ms()
        start_ms = end_ms - days * 86_400_000
        wanted = Wanted(start_ms=start_ms, end_ms=end_ms)
        found, _ = await ground.ledger.read(
            lambda connection: violation_records.some(connection, wanted, 0, MOST_TRIED)
        )
        trial = tried(policy, found, end_ms)
        done = Tried(name, self.keeper.versions[name], start_ms, end_ms, trial, ground.clock.wall_ms())
        await ground.ledger.write(lambda connection: records.put_trial(connection, done))
        return done

    async def switch_on(self, name: str, who: str, reason: str) -> Switch:
        """Let it act from now on.

        Raises:
            NotNow: this version was not tried out, or the same person wrote it.
        """
        kept = await self.limits.ground.ledger.read(lambda connection: register.kept(connection, SHELF, name, Policy))
        if kept is None:
            raise NotNow(f"there is no policy {name!r}")
        if kept.changed_by == who:
            raise NotNow("who wrote it cannot switch it on; a second person has to")
        if kept.thing.what is What.LIFT and not self.limits.ground.bounds.lift_lock:
            raise NotNow("lift locks of the platform are not switched on here")
        trial = await self.trial(name)
        if trial is None:
            raise NotNow("this version was not tried over the past; do that first")
        return await self.limits.throw(switch_of(name), who, reason, thrown=True)

    async def switch_off(self, name: str, who: str, reason: str) -> Switch:
        """Let it act no more; limits in force go on to their end.

        Raises:
            NotNow: there is no such policy.
        """
        if name not in self.keeper.policies:
            raise NotNow(f"there is no policy {name!r}")
        return await self.limits.throw(switch_of(name), who, reason, thrown=False)

    async def trial(self, name: str) -> Tried | None:
        """What this version would have done, if it was tried."""
        version = self.keeper.versions.get(name, 0)
        return await self.limits.ground.ledger.read(lambda connection: records.trial_of(connection, name, version))
