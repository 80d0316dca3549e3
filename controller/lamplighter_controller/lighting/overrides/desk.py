"""Where levels by hand are asked for, approved, given and taken back; each step is in the audit trail."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random, SystemRandom
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Refusal
from lamplighter_contract.ids import uuid7
from lamplighter_contract.level import rank
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.limits import MAX_OVERRIDE_MS
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.overrides import store
from lamplighter_controller.lighting.overrides.in_force import InForce, in_force
from lamplighter_controller.lighting.overrides.judge import DarkJudge
from lamplighter_controller.lighting.overrides.store import Ask, AskState
from lamplighter_controller.lighting.overrides.target import Wrong, resolved
from lamplighter_controller.lighting.overrides.wish import Wish, wrong_with
from lamplighter_controller.security import audit
from lamplighter_controller.twin.columns import Twin

WAITS_MS: Final = 15 * 60_000  # real: how long an override waits for a second person
EMERGENCY_EXPIRES_S: Final = 600.0  # a gateway that is away for a moment still gets it
EXPIRES_S: Final = 60.0


Within = Callable[[str], bool]


def anywhere(_: str) -> bool:
    """Every lamp."""
    return True


class Submits(Protocol):
    """Takes requests for commands; the dispatch is one."""

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""


class Unusable(ControllerError):
    """An override that cannot be taken as it was asked for; `wrong` is everything that is wrong with it."""

    def __init__(self, wrong: Iterable[Wrong]) -> None:
        self.wrong = tuple(wrong)
        super().__init__("; ".join(one.what for one in self.wrong))


class NotNow(ControllerError):
    """A step that cannot be taken as things are; the message says why. Nothing has changed."""


@dataclass(frozen=True, slots=True)
class OverrideDesk:
    """Work on overrides. Raises LedgerUnavailable wherever it waits."""

    ledger: Ledger
    twin: Twin
    commands: Submits
    clock: Clock
    random: Random = field(default_factory=SystemRandom)
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)  # shares are judged and given in one step

    async def ask(self, wish: Wish, who: str, within: Within = anywhere) -> Ask:
        """Take an override: it goes out at once, or waits for a second person. `within`: lamps `who` may move.

        Raises:
            Unusable: with everything wrong with it.
            NotNow: the key stands for something else, or commands are not taken now.
        """
        async with self._one_by_one:
            known = await self._known(wish, who)
            if known is not None:
                return await self._give(known) if known.state is AskState.GIVEN and not known.request else known
            ask = await self._judged(wish, who, within)

            def work(connection: Connection) -> None:
                store.add(connection, ask)
                self._audit(connection, ask, who, "override.ask", ask.reason, ask.state)

            await self.ledger.write(work)
            return await self._give(ask) if ask.state is AskState.GIVEN else ask

    async def approve(self, name: str, who: str, reason: str) -> Ask:
        """Stand for an override as a second person; it goes out.

        Raises:
            NotNow: by who asked, or it does not wait (any more).
        """
        async with self._one_by_one:
            ask = await self._pending(name)
            if ask.who == who:
                raise NotNow("who asked for it cannot approve it")
            if ask.until_ms <= self.clock.civil_ms():
                raise NotNow("its end has passed; ask for it again")
            given = replace(ask, state=AskState.GIVEN, approvals=(*ask.approvals, who))
            await self._save(given, who, "override.approve", reason)
            return await self._give(given)

    async def withdraw(self, name: str, who: str, reason: str) -> Ask:
        """Take back an override that waits.

        Raises:
            NotNow: it does not wait (any more).
        """
        async with self._one_by_one:
            ask = replace(await self._pending(name), state=AskState.WITHDRAWN)
            await self._save(ask, who, "override.withdraw", reason)
            return ask

    async def resume(self, found: InForce, who: str, reason: str) -> str | None:
        """End an override: lamps without a stronger level by hand go back to plan at once, by the request returned.

        Under a stronger one it ends unseen, as plans do not list it any more.

        Raises:
            NotNow: nothing would end, or commands are not taken now.
        """
        async with self._one_by_one:
            lamps = await self._decided_by(found)
            if not lamps and found.ask is None:
                raise NotNow("stronger levels by hand are in force for all its lamps; it ends when its time is over")
            wanted = CommandRequest(Operation.LIGHT_RESUME, lamps, {}, reason, expires_s=EXPIRES_S)
            taken = await self.commands.submit(wanted, who) if lamps else None
            if isinstance(taken, Refusal):
                raise NotNow(taken.detail)
            if found.ask is not None:
                await self._save(replace(found.ask, state=AskState.ENDED), who, "override.end", reason)
            return taken.request.id if taken else None

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Take a command; one for a level is judged as an override is.

        Raises:
            NotNow: it needs a second person.
        """
        if wanted.op is not Operation.LIGHT_SET or wanted.args.get("emergency"):
            return await self.commands.submit(wanted, who)
        async with self._one_by_one:
            level_percent = wanted.args.get("level_percent")
            if isinstance(level_percent, int | float):
                inventory = await self.ledger.read(inventory_store.inventory)
                now_ms = self.clock.civil_ms()
                levels = dict.fromkeys(wanted.devices, float(level_percent))
                grave = await self._judge.grave(levels, (now_ms, now_ms + MAX_OVERRIDE_MS), inventory)
                if grave:
                    raise NotNow(f"a second person has to approve it: {'; '.join(grave)}; ask for an override")
            return await self.commands.submit(wanted, who)

    async def find(self, name: str) -> Ask | None:
        """One that was asked for."""
        return await self.ledger.read(lambda connection: store.find(connection, name))

    async def in_force(self) -> list[InForce]:
        """Every level by hand that is in force or may be, the newest first."""
        return await self.ledger.read(self._in_force)

    async def expire(self) -> None:
        """End what has waited too long for a second person."""
        wall_ms = self.clock.wall_ms()
        late = [ask for ask in await self.ledger.read(store.pending) if ask.expires_ms <= wall_ms]
        for ask in late:
            async with self._one_by_one:
                await self._save(
                    replace(ask, state=AskState.EXPIRED), "controller", "override.expire", "nobody approved it in time"
                )

    def lamps(self) -> Mapping[str, DeviceEntry]:
        """Every lamp that is served, by id."""
        return {entry.device: entry for entry in self.twin.entries() if entry.kind is Kind.LAMP}

    async def _known(self, wish: Wish, who: str) -> Ask | None:
        if wish.key is None:
            return None
        key = wish.key
        known = await self.ledger.read(lambda connection: store.by_key(connection, who, key))
        if known is not None and known.content != wish.content():
            raise NotNow(f"the key {key!r} stands for another override, {known.id}")
        return known

    async def _judged(self, wish: Wish, who: str, within: Within) -> Ask:
        inventory = await self.ledger.read(inventory_store.inventory)
        found = await asyncio.to_thread(resolved, wish.target, inventory, self.lamps())
        now_ms, wall_ms = self.clock.civil_ms(), self.clock.wall_ms()
        outside = next((lamp for lamp in found.lamps if not within(lamp)), None)
        wrong = [*found.wrong, *wrong_with(wish, now_ms)]
        if outside is not None:
            wrong.append(Wrong("target", f"{outside} is outside the areas that were granted"))
        if wrong:
            raise Unusable(wrong)
        levels, span = dict.fromkeys(found.lamps, wish.level_percent), (now_ms, wish.end_ms(now_ms))
        grave = () if wish.emergency else await self._judge.grave(levels, span, inventory)
        return Ask(
            id=uuid7(wall_ms, self.random.randbytes(10)),
            who=who,
            level_percent=wish.level_percent,
            until_ms=wish.end_ms(now_ms),
            reason=wish.reason,
            target=wish.target,
            lamps=found.lamps,
            created_ms=wall_ms,
            expires_ms=wall_ms + WAITS_MS,
            emergency=wish.emergency,
            key=wish.key,
            content=wish.content(),
            grave=grave,
            state=AskState.PENDING if grave else AskState.GIVEN,
        )

    async def _give(self, ask: Ask) -> Ask:
        """Have its command taken; the key makes a second try of the same override harmless."""
        args: dict[str, Any] = {"level_percent": ask.level_percent, "until": ask.until_ms}
        wanted = CommandRequest(
            Operation.LIGHT_SET,
            ask.lamps,
            args | ({"emergency": True} if ask.emergency else {}),
            ask.reason,
            approvals=ask.approvals,
            expires_s=EMERGENCY_EXPIRES_S if ask.emergency else EXPIRES_S,
            key=f"override-{ask.id}",
        )
        taken = await self.commands.submit(wanted, ask.who)
        if isinstance(taken, Refusal):
            refused = replace(ask, state=AskState.WITHDRAWN)
            await self._save(refused, "controller", "override.refuse", taken.detail)
            raise NotNow(taken.detail)
        given = replace(ask, request=taken.request.id)
        await self.ledger.write(lambda connection: store.save(connection, given))
        return given

    async def _pending(self, name: str) -> Ask:
        ask = await self.find(name)
        if ask is None or ask.state is not AskState.PENDING:
            raise NotNow(f"it is {ask.state}, it does not wait for a second person" if ask else "there is none")
        if ask.expires_ms <= self.clock.wall_ms():
            raise NotNow("nobody approved it in time; ask for it again")
        return ask

    async def _decided_by(self, found: InForce) -> tuple[str, ...]:
        """Its lamps that have no stronger level by hand: a newer one, or an emergency."""
        mine = {record.device: rank(record) for record in found.records}
        for other in await self.in_force():
            for record in other.records:
                if record.device in mine and rank(record) > mine[record.device]:
                    del mine[record.device]
        return tuple(sorted(mine))

    @property
    def _judge(self) -> DarkJudge:
        return DarkJudge(self.ledger, self.twin, self.clock)

    def _in_force(self, connection: Connection) -> list[InForce]:
        return in_force(connection, self.clock.wall_ms(), self.clock.civil_ms())

    async def _save(self, ask: Ask, who: str, action: str, reason: str) -> None:
        def work(connection: Connection) -> None:
            store.save(connection, ask)
            self._audit(connection, ask, who, action, reason, ask.state)

        await self.ledger.write(work)

    def _audit(self, connection: Connection, ask: Ask, who: str, action: str, reason: str, result: str) -> None:
        audit.record(
            connection,
            who=who,
            action=action,
            subject=f"override:{ask.id}",
            reason=reason,
            result=result,
            detail={
                "level_percent": ask.level_percent,
                "until": ask.until_ms,
                "emergency": ask.emergency,
                "lamps": len(ask.lamps),
                "grave": list(ask.grave),
                "approvals": list(ask.approvals),
            },
            time_ms=self.clock.wall_ms(),
        )
