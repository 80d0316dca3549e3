"""Where a crew locks what it works on, and ends the lock: by commands, told only as the gateway has confirmed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Refusal
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.maintenance import keys
from lamplighter_controller.maintenance.around import RULE, Around
from lamplighter_controller.maintenance.orders import records
from lamplighter_controller.maintenance.orders.locks import ASKED_TEXT, Lock, LockState, followed
from lamplighter_controller.maintenance.orders.order import UNFINISHED, Order, SourceKind, State
from lamplighter_controller.maintenance.refused import Refused, not_now
from lamplighter_controller.maintenance.streets import StreetMap
from lamplighter_controller.security import audit

LONGEST_MS: Final = 24 * 3_600_000
EXPIRES_S: Final = 60.0
MAY_RELEASE: Final = UNFINISHED | {State.DONE}
ALARM: Final = "lock-overdue-{}"


@dataclass(frozen=True, slots=True)
class Locked:
    """A lock as it stands; `repeated` when the same request had been met before."""

    lock: Lock
    repeated: bool = False


class LockDesk:
    """Locks of orders. Every method raises LedgerUnavailable; asking again with the same key is safe."""

    def __init__(self, around: Around, streets: StreetMap) -> None:
        """Stand on the ledger and the commands alone."""
        self._around, self._streets = around, streets

    async def lock(
        self, identity: str, until_ms: int, who: str, reason: str, key: str | None = None
    ) -> Locked | Refused | None:
        """Ask the gateway to let nobody else command what the order is about; None when there is no such order."""
        around, now_ms = self._around, self._around.clock.civil_ms()
        content = keys.content_of(f"{identity} lock", {"until_ms": until_ms})
        found = await around.ledger.read(lambda connection: _look(connection, identity, who, key, content))
        if found is None or isinstance(found, Refused | Locked):
            return found
        order, locks = found
        wrong = _cannot_lock(order, locks, until_ms, now_ms)
        if wrong is not None:
            return wrong
        devices = await self._devices(order)
        if not devices:
            return not_now("no gateway serves anything there that could hold a lock: lock by hand")
        name = f"lock:{identity}:{key or around.new_id()}"[:128]
        request = await self._asked(Operation.DEVICE_LOCK, devices, {"holder": who}, f"{identity}: {reason}", name, who)
        if isinstance(request, Refused):
            return request
        lock = Lock(
            around.new_id(), identity, devices, who, LockState.ASKED, now_ms, until_ms, request.request.id, ASKED_TEXT
        )
        await self._put(lock, who, "lock.asked", reason, key, content)
        return Locked(await self._looked(lock))

    async def release(
        self, identity: str, confirmation: str, who: str, key: str | None = None
    ) -> Locked | Refused | None:
        """The person on site closes what was isolated, and ends the lock; None when there is no such order."""
        around = self._around
        content = keys.content_of(f"{identity} release", {"confirmation": confirmation})
        found = await around.ledger.read(lambda connection: _look(connection, identity, who, key, content))
        if found is None or isinstance(found, Refused | Locked):
            return found
        order, locks = found
        lock = next((one for one in reversed(locks) if one.in_force), None)
        isolated = await self._isolated(order)
        if lock is None and not isolated:
            return not_now("nothing of this order is locked or isolated")
        if order.state not in MAY_RELEASE:
            return not_now(f"the order is {order.state}")
        now_ms = around.clock.civil_ms()
        lock = lock or Lock(around.new_id(), identity, (), who, LockState.RELEASING, now_ms, now_ms)
        name = f"release:{identity}:{key or around.new_id()}"
        args = {"confirmation": confirmation}
        requests: list[str] = []
        for op, devices in ((Operation.SUPPLY_RESTORE, isolated), (Operation.DEVICE_UNLOCK, lock.devices)):
            if devices:
                asked = await self._asked(
                    op, devices, args, f"{identity}: {confirmation}"[:200], f"{name}:{op}"[:128], who
                )
                if isinstance(asked, Refused):
                    return asked
                requests.append(asked.request.id)
        text = "the gateway is asked to end it; it holds until that is confirmed"
        lock = msgspec.structs.replace(lock, state=LockState.RELEASING, release=tuple(requests), text=text)
        await self._put(lock, who, "lock.release-asked", confirmation, key, content)
        return Locked(await self._looked(lock))

    async def follow(self) -> None:
        """Look at every lock that holds or may: what its commands came to, and whether it is overdue."""
        for lock in await self._around.ledger.read(records.locks_in_force):
            await self._looked(lock)
            await self._escalated(lock)

    async def _looked(self, lock: Lock) -> Lock:
        """The lock after its commands; what changed is stored and told."""
        names = lock.release if lock.state is LockState.RELEASING else (lock.request,)
        found = [await self._around.commands.request(name) for name in names]
        states = [_end_of(one) for one in found if one is not None]
        if len(states) < len(names) or not states:
            return lock
        after = followed(lock, states, self._around.clock.civil_ms())
        if after != lock:
            await self._put(after, RULE, f"lock.{after.state.value}", after.text, None, "")
            if not after.in_force:
                self._around.alarms.cleared(ALARM.format(lock.order))
        return after

    async def _escalated(self, lock: Lock) -> None:
        now_ms = self._around.clock.civil_ms()
        if not lock.is_overdue(now_ms):
            return
        where = ", ".join(lock.devices)
        text = (
            f"{lock.order}: {where} is locked for longer than planned by {lock.holder}; only the person on site ends it"
        )
        self._around.alarms.raised(ALARM.format(lock.order), text)
        if not lock.escalated_ms:
            overdue = msgspec.structs.replace(lock, escalated_ms=now_ms)
            await self._put(overdue, RULE, "lock.overdue", text, None, "")

    async def _asked(
        self, op: Operation, devices: Sequence[str], args: dict[str, str], reason: str, key: str, who: str
    ) -> Submitted | Refused:
        wanted = CommandRequest(op, tuple(devices), args, reason=reason[:200], key=key, expires_s=EXPIRES_S)
        answer = await self._around.commands.submit(wanted, who)
        if isinstance(answer, Refusal):
            return not_now(f"{op}: {answer.detail}")
        return answer

    async def _devices(self, order: Order) -> tuple[str, ...]:
        """The circuits, so that every lamp on them and the autonomy loop are covered; else the devices themselves."""
        place = (await self._streets.get()).place(order.on)
        return tuple(dict.fromkeys([*place.circuits, *await self._isolated(order)])) or place.devices[:1]

    async def _isolated(self, order: Order) -> tuple[str, ...]:
        """Circuits that incidents of this order say are open for somebody's safety."""
        incidents = await incidents_of(self._around, order)
        opened = [one.isolation for one in incidents if one.isolation and one.isolation.state == "open"]
        return tuple(dict.fromkeys(name for one in opened for name in one.circuits))

    async def _put(self, lock: Lock, who: str, action: str, reason: str, key: str | None, content: str) -> None:
        wall_ms = self._around.clock.wall_ms()
        detail = {"lock": lock.id, "devices": list(lock.devices), "holder": lock.holder, "request": lock.request}

        def work(connection: Connection) -> None:
            records.put_lock(connection, lock)
            keys.remember(connection, who, key, content, lock.id, wall_ms)
            audit.record(
                connection,
                who=who,
                action=action,
                subject=f"order:{lock.order}",
                reason=reason,
                result=lock.state.value,
                time_ms=wall_ms,
                detail=detail,
            )

        await self._around.ledger.write(work)


async def incidents_of(around: Around, order: Order) -> list[Incident]:
    """What an order came of, where it came of incidents."""
    sources = await around.ledger.read(lambda connection: records.sources_of(connection, [order.id]))
    found = [await around.diagnosis.desk.one(one.ref) for one in sources[order.id] if one.kind is SourceKind.INCIDENT]
    return [one for one in found if one is not None]


def _look(
    connection: Connection, identity: str, who: str, key: str | None, content: str
) -> tuple[Order, list[Lock]] | Locked | Refused | None:
    answer = keys.answered(connection, who, key, content)
    locks = records.locks_of(connection, identity)
    if isinstance(answer, Refused):
        return answer
    if answer is not None:
        return Locked(next(one for one in locks if one.id == answer), repeated=True)
    order = records.find(connection, identity)
    return None if order is None else (order, locks)


def _cannot_lock(order: Order, locks: Sequence[Lock], until_ms: int, now_ms: int) -> Refused | None:
    if order.state is not State.ON_SITE:
        return not_now(f"a lock is for those on site; the order is {order.state}")
    if any(one.in_force for one in locks):
        return not_now("there is a lock already")
    if not now_ms < until_ms <= now_ms + LONGEST_MS:
        detail = "until_ms: when the crew means to be done, within 24 h from now"
        return Refused("body.until_ms", "out-of-bounds", detail)
    return None


def _end_of(submitted: Submitted) -> tuple[CommandState, str]:
    reasons = [part.reason for order in submitted.orders for part in order.parts.values() if part.reason]
    whole = [order.reason for order in submitted.orders if order.reason]
    return submitted.state, next(iter([*reasons, *whole]), "")
