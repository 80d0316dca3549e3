"""Where people, and policies, ask for limits, approve them and take them back, and throw the fleet's switches."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from lamplighter_controller.errors import ControllerError
from lamplighter_controller.events import FleetChanged
from lamplighter_controller.fleet.limits import records, trail, unlocking
from lamplighter_controller.fleet.limits.book import CENTRE
from lamplighter_controller.fleet.limits.ground import Ground
from lamplighter_controller.fleet.limits.keeper import LimitKeeper
from lamplighter_controller.fleet.limits.limit import Ask, AskState, Limit, LimitState
from lamplighter_controller.fleet.limits.records import Switch
from lamplighter_controller.fleet.limits.sending import OPERATIONS
from lamplighter_controller.fleet.limits.wish import Wish, Wrong, grave, wrong_with
from lamplighter_controller.fleet.live.city import City

APPROVAL_MS: Final = 15 * 60_000  # real: how long a limit of many trucks waits for a second person


class Unusable(ControllerError):
    """A limit that cannot be taken as it was asked for; `wrong` is everything that is wrong with it."""

    def __init__(self, wrong: Iterable[Wrong]) -> None:
        self.wrong = tuple(wrong)
        super().__init__("; ".join(one.what for one in self.wrong))


class NotNow(ControllerError):
    """A step that cannot be taken as things are; the message says why. Nothing has changed."""


@dataclass(frozen=True, slots=True)
class LimitDesk:
    """Work on limits. Raises LedgerUnavailable wherever it waits."""

    ground: Ground
    keeper: LimitKeeper
    city: Callable[[], City]
    wake: Callable[[], None]
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, wish: Wish, who: str) -> Ask:
        """Take a limit: it waits for the interlock's yes, or first for a second person.

        Raises:
            Unusable: with everything wrong with it.
            NotNow: the key stands for something else.
        """
        async with self._one_by_one:
            known = await self._known(wish, who)
            if known is not None:
                return known
            ask = self._judged(wish, who)
            limits = self._limits(ask) if ask.state is AskState.GIVEN else []

            def work(connection: Connection) -> None:
                records.add_ask(connection, ask)
                records.add_limits(connection, limits)
                trail.ask_moved(connection, ask, who, "limit.ask", ask.reason, ask.created_ms)

            await self.ground.ledger.write(work)
            self._begin(ask, limits)
            return ask

    async def approve(self, name: str, who: str, reason: str) -> Ask:
        """Stand for a limit of many trucks as a second person.

        Raises:
            NotNow: by who asked, or it does not wait (any more).
        """
        async with self._one_by_one:
            ask = await self._pending(name)
            if ask.who == who:
                raise NotNow("who asked for it cannot approve it")
            if ask.until_ms <= self.ground.clock.civil_ms():
                raise NotNow("its end has passed; ask for it again")
            given = replace(ask, state=AskState.GIVEN, approvals=(*ask.approvals, who))
            limits = self._limits(given)
            await self._save(given, limits, who, "limit.approve", reason)
            self._begin(given, limits)
            return given

    async def withdraw(self, name: str, who: str, reason: str) -> Ask:
        """Take back a limit that waits for a second person.

        Raises:
            NotNow: it does not wait (any more).
        """
        async with self._one_by_one:
            ask = replace(await self._pending(name), state=AskState.WITHDRAWN)
            await self._save(ask, [], who, "limit.withdraw", reason)
            self._tell("ask", ask.id, ask.state)
            return ask

    async def release(self, name: str, who: str, reason: str) -> Limit:
        """End one truck's limit; always allowed.

        Raises:
            NotNow: it is over, or it is not ours.
        """
        limit = self.keeper.book.limits.get(name)
        if limit is None:
            found = await self.ground.ledger.read(lambda connection: records.find_limit(connection, name))
            raise NotNow(f"it is {found.state}" if found else "there is no such limit")
        if limit.state is LimitState.FOREIGN:
            raise NotNow("it is not ours; ask who set it")
        await self.keeper.release(limit, who, reason)
        self.wake()
        return self.keeper.book.limits.get(name, limit)

    async def release_all(self, who: str, reason: str) -> int:
        """End every limit of ours; how many there were."""
        mine = [one for one in self.keeper.book.limits.values() if one.state is not LimitState.FOREIGN]
        for limit in mine:
            await self.keeper.release(limit, who, reason)
        self.wake()
        return len(mine)

    async def throw(self, name: str, who: str, reason: str, *, thrown: bool) -> Switch:
        """Set a switch of the fleet."""
        switch = Switch(name, thrown, who, reason, self.ground.clock.wall_ms())

        def work(connection: Connection) -> None:
            records.throw(connection, switch)
            trail.act(
                connection, "fleet.switch", f"fleet-switch:{name}", who, reason, switch.changed_ms, {"thrown": thrown}
            )

        await self.ground.ledger.write(work)
        self.keeper.book.throw(switch)
        self._tell("switch", name, "thrown" if thrown else "off")
        self.wake()
        return switch

    async def unlock_key(self, truck: str, who: str, reason: str) -> bytes:
        """A new secret for the one-time codes of a truck's terminal; it is shown this once."""
        secret, wall_ms = self.ground.random.randbytes(unlocking.SECRET_BYTES), self.ground.clock.wall_ms()
        await self.ground.ledger.write(
            lambda connection: unlocking.put_secret(connection, truck, secret, who=who, reason=reason, wall_ms=wall_ms)
        )
        return secret

    async def unlock_code(self, truck: str, who: str, reason: str) -> tuple[str, int]:
        """The next one-time code of a truck, and its counter.

        Raises:
            NotNow: its terminal was never given a secret.
        """
        wall_ms = self.ground.clock.wall_ms()
        given = await self.ground.ledger.write(
            lambda connection: unlocking.next_code(connection, truck, who=who, reason=reason, wall_ms=wall_ms)
        )
        if given is None:
            raise NotNow("its terminal was never given a secret for codes")
        return given

    async def expire(self) -> None:
        """End what has waited too long for a second person."""
        wall_ms = self.ground.clock.wall_ms()
        pending, _ = await self.ground.ledger.read(lambda ledger: records.asks(ledger, AskState.PENDING, 0, 1_000))
        for ask in pending:
            if ask.expires_ms <= wall_ms:
                expired = replace(ask, state=AskState.EXPIRED)
                await self._save(expired, [], CENTRE, "limit.expire", "nobody approved it in time")

    def able(self, device: str, operation: str) -> bool:
        """True when a gateway serves the terminal and it can do so."""
        entry = self.ground.twin.entry(device) if device else None
        return entry is not None and operation in entry.capabilities

    def _judged(self, wish: Wish, who: str) -> Ask:
        city, clock = self.city(), self.ground.clock
        names = tuple(dict.fromkeys(wish.trucks))
        rows = {name: city.find(name) for name in names}
        able = {name: self.able(row.device, OPERATIONS[wish.what]) for name, row in rows.items() if row is not None}
        wrong = list(wrong_with(wish, rows, able, self.ground.bounds))
        if wrong:
            raise Unusable(wrong)
        needs = () if wish.policy else grave(len(names), self.keeper.book.held_by(who))
        wall_ms = clock.wall_ms()
        return Ask(
            id=self.ground.new_id(),
            who=who,
            trucks=tuple(row.truck for row in rows.values() if row is not None),
            what=wish.what,
            target=wish.target,
            until_ms=clock.civil_ms() + round(wish.for_s * 1000),
            reason=wish.reason,
            created_ms=wall_ms,
            expires_ms=wall_ms + APPROVAL_MS,
            case_number=wish.case_number,
            violation=wish.violation,
            policy=wish.policy,
            grave=needs,
            state=AskState.PENDING if needs else AskState.GIVEN,
            key=wish.key,
            content=wish.content(),
        )

    def _limits(self, ask: Ask) -> list[Limit]:
        city, wall_ms = self.city(), self.ground.clock.wall_ms()
        rows = [row for name in ask.trucks if (row := city.find(name)) is not None]
        return [
            Limit(
                self.ground.new_id(),
                row.truck,
                row.device,
                ask.what,
                LimitState.WAITING,
                wall_ms,
                ask=ask.id,
                target=ask.target,
                until_ms=ask.until_ms,
            )
            for row in rows
        ]

    def _begin(self, ask: Ask, limits: list[Limit]) -> None:
        if limits:
            self.keeper.book.begin(ask, limits)
        self._tell("ask", ask.id, ask.state)
        self.wake()

    async def _known(self, wish: Wish, who: str) -> Ask | None:
        if wish.key is None:
            return None
        key = wish.key
        known = await self.ground.ledger.read(lambda connection: records.ask_by_key(connection, who, key))
        if known is not None and known.content != wish.content():
            raise NotNow(f"the key {key!r} stands for another limit, {known.id}")
        return known

    async def _pending(self, name: str) -> Ask:
        ask = await self.ground.ledger.read(lambda connection: records.find_ask(connection, name))
        if ask is None or ask.state is not AskState.PENDING:
            raise NotNow(f"it is {ask.state}, it does not wait for a second person" if ask else "there is none")
        if ask.expires_ms <= self.ground.clock.wall_ms():
            raise NotNow("nobody approved it in time; ask for it again")
        return ask

    async def _save(self, ask: Ask, limits: list[Limit], who: str, action: str, reason: str) -> None:
        wall_ms = self.ground.clock.wall_ms()

        def work(connection: Connection) -> None:
            records.save_ask(connection, ask)
            records.add_limits(connection, limits)
            trail.ask_moved(connection, ask, who, action, reason, wall_ms)

        await self.ground.ledger.write(work)

    def _tell(self, what: str, name: str, state: str) -> None:
        self.ground.events.publish(FleetChanged(what, name, "", state, self.ground.clock.civil_ms()))
